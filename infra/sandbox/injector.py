"""The fault injector of the sandbox: `PUT /faults/{name}` with a time to live, `DELETE` to end it before.

Its API is what the Action asks of any fault injector (docs/action.md).
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from infra.sandbox.errors import SandboxError
from infra.sandbox.leases import Lease, Leases
from infra.sandbox.parent import die_with_parent
from infra.sandbox.scenarios.catalog import SCENARIOS
from infra.sandbox.scenarios.model import Sandbox, Scenario
from infra.sandbox.serving import listen, load_token, require_token, serve_until, stop_event, write_json_lines

MAX_TTL_S = 3600.0

_SANDBOX = TypeAdapter(Sandbox)


class Order(BaseModel):
    """The body of `PUT /faults/{name}`: there is no fault without an end."""

    model_config = ConfigDict(extra="forbid")

    ttl_s: float = Field(gt=0, le=MAX_TTL_S)


class Faults(BaseModel):
    """The faults in force."""

    faults: tuple[Lease, ...]


def write_sandbox(sandbox: Sandbox, path: Path) -> None:
    """Writes the description of the sandbox that the injector reads; only the owner may read it: it holds tokens."""
    path.touch(mode=0o600)
    path.write_bytes(_SANDBOX.dump_json(sandbox))


async def _cannot(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, HTTPStatus.BAD_GATEWAY)


def injector_app(leases: Leases, scenarios: Mapping[str, Scenario], token: str) -> FastAPI:
    """Returns the API for bearers of the token."""
    app = FastAPI(title="fault injector", dependencies=[Depends(require_token(token))])
    app.add_exception_handler(SandboxError, _cannot)

    async def known(name: str) -> str:
        if name not in scenarios:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no fault {name}")
        return name

    @app.get("/faults")
    async def listed() -> Faults:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
        return Faults(faults=leases.held)

    @app.put("/faults/{name}", dependencies=[Depends(known)])
    async def start(name: str, order: Order) -> Lease:  # pyright: ignore[reportUnusedFunction] - as above
        return await _to_the_end(lambda: leases.start(name, order.ttl_s))

    @app.delete("/faults/{name}", status_code=HTTPStatus.NO_CONTENT, dependencies=[Depends(known)])
    async def stop(name: str) -> Response:  # pyright: ignore[reportUnusedFunction] - as above
        await leases.stop(name)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return app


async def _to_the_end(start: Callable[[], Awaitable[Lease]]) -> Lease:
    """Returns the lease; a client that goes away does not leave a fault half in place."""
    return await asyncio.shield(asyncio.ensure_future(start()))


async def run(leases: Leases, port: int, token_file: Path) -> None:
    """Serves until SIGTERM or SIGINT. Faults stay on lease on disk, and are healed by the next start."""
    stopped = stop_event()
    watching = asyncio.create_task(leases.run(stopped))
    app = injector_app(leases, SCENARIOS, load_token(token_file))
    await serve_until(app, listen(port), stopped)
    await watching


def main() -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox.injector", description=__doc__)
    parser.add_argument("--world", type=Path, required=True, help="description of the sandbox")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--token-file", type=Path, required=True, help="token of this API; made when missing")
    parser.add_argument("--leases", type=Path, required=True, help="file with the faults in force")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the starting process ends")
    given = parser.parse_args()
    write_json_lines()
    if given.die_with_parent:
        die_with_parent()
    leases = Leases(_SANDBOX.validate_json(given.world.read_bytes()), SCENARIOS, given.leases)
    asyncio.run(run(leases, given.port, given.token_file))


if __name__ == "__main__":
    main()

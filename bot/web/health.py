"""Whether the process lives, and whether it can do its work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from telemetry.errors import TransientError

Check = Callable[[], Awaitable[None]]
Fact = Callable[[], str | float | None]
_CHECK_TIMEOUT_S: Final = 3.0


def health_router(
    required: Mapping[str, Check], wanted: Mapping[str, Check], facts: Mapping[str, Fact] | None = None
) -> APIRouter:
    """Return `/healthz` (always 200) and `/readyz` (503 while a required check fails).

    A check raises TransientError, with the reason. Wanted checks are shown only: without Redis, for instance,
    webhooks are still taken and nothing is lost. Facts are shown, too, and decide nothing.
    """
    router = APIRouter()

    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def readyz() -> JSONResponse:
        names = [*required, *wanted]
        outcomes = await asyncio.gather(*(_outcome(check) for check in [*required.values(), *wanted.values()]))
        checks = dict(zip(names, outcomes, strict=True))
        ready = all(checks[name] == "ok" for name in required)
        body: dict[str, object] = {"status": "ready" if ready else "not ready", "checks": checks}
        if facts:
            body["facts"] = {name: fact() for name, fact in facts.items()}
        return JSONResponse(body, status_code=200 if ready else 503)

    router.add_api_route("/healthz", healthz, methods=["GET"])
    router.add_api_route("/readyz", readyz, methods=["GET"])
    return router


async def _outcome(check: Check) -> str:
    try:
        await asyncio.wait_for(check(), _CHECK_TIMEOUT_S)
    except TimeoutError:
        return f"no answer within {_CHECK_TIMEOUT_S:g} s"
    except TransientError as error:
        return str(error)
    return "ok"

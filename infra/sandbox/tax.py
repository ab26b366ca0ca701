"""The tax service that pricing calls: another company's service, slow by nature and of steady pace."""

import argparse
import asyncio
import json
import random
import zlib

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.sandbox.parent import die_with_parent
from infra.sandbox.serving import listen, port_of, serve_until, stop_event, write_json_lines

JITTER_RATIO = 0.05
MAX_BASIS_POINTS = 500


def tax_service(latency_s: float, rng: random.Random) -> ASGIApp:
    """Returns an app that answers `GET /rates/{region}/{jurisdiction}` after about `latency_s`."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        known = path.startswith("/rates/") and path.count("/") == len(("rates", "region", "jurisdiction"))
        if known:
            await asyncio.sleep(latency_s * (1 + JITTER_RATIO * rng.uniform(-1, 1)))
        # A rate that belongs to the place and never changes.
        content = {"basis_points": zlib.crc32(path.encode()) % MAX_BASIS_POINTS} if known else {}
        body = json.dumps(content).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200 if known else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def run(port: int, latency_ms: float) -> None:
    """Serves until SIGTERM or SIGINT."""
    stopped = stop_event()
    listener = listen(port)
    structlog.get_logger().info("tax_service_started", port=port_of(listener), latency_ms=latency_ms)
    await serve_until(tax_service(latency_ms / 1000, random.Random()), listener, stopped)
    structlog.get_logger().info("tax_service_stopped")


def main() -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox.tax", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--latency-ms", type=float, default=300.0, help="how long an answer takes")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the starting process ends")
    arguments = parser.parse_args()
    write_json_lines()
    if arguments.die_with_parent:
        die_with_parent()
    asyncio.run(run(arguments.port, arguments.latency_ms))


if __name__ == "__main__":
    main()

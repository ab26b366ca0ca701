"""`python -m infra.sandbox.github`: the GitHub stand-in as a program."""

import argparse
import asyncio
import ipaddress
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

import structlog
import uvicorn

from infra.sandbox.github import clock
from infra.sandbox.github.bootstrap import Options, build

BACKLOG = 128


def options() -> Options:
    """The command line as options."""
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox.github", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the state")
    parser.add_argument("--port", type=int, required=True, help="port to listen on (0: any free one)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--webhook-url", help="where the App's webhooks are sent")
    parser.add_argument("--seed", type=Path, help="folder whose files are the first commit")
    parser.add_argument("--public-url", help="address that clients use, when it is not http://HOST:PORT")
    parser.add_argument("--private", action="store_true", help="make the repository private (first start)")
    parser.add_argument("--rate-limit", type=int, default=5000, help="requests an hour (default: %(default)s)")
    parser.add_argument("--now", type=clock.parse, help="moment in ISO 8601 at which the clock stands still")
    given = parser.parse_args()
    if given.seed is not None and not given.seed.is_dir():
        parser.error(f"--seed: {given.seed} is not a folder")
    return Options(**vars(given))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; naming TCP makes asyncio switch Nagle off, which else costs 40 ms an answer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener


async def serve(given: Options, listener: socket.socket) -> None:
    """Serves until SIGTERM or SIGINT."""
    app = await build(replace(given, port=listener.getsockname()[1]))
    config = uvicorn.Config(
        app, host=given.host, port=given.port, log_level="warning", access_log=False, timeout_graceful_shutdown=5
    )
    await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    """Runs the program."""
    given = options()
    structlog.configure(
        processors=[structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    if not ipaddress.ip_address(given.host).is_loopback:
        sys.stderr.write("warning: the stand-in hands out tokens freely; do not bind it to a public address\n")
    # uvicorn stops on these and then raises them again: ended on request is ended well.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    # Listening before anything is announced: a client that reads "ready" can connect at once.
    try:
        listener = listen(given.host, given.port)
    except OSError as error:
        raise SystemExit(f"cannot listen on {given.host}:{given.port}: {error.strerror}") from error
    asyncio.run(serve(given, listener))


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()

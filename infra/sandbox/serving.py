"""What every program of the sandbox needs: JSON lines on stdout, a loopback server, a token for its control."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Generator
from http import HTTPStatus
from pathlib import Path

import structlog
import uvicorn
from fastapi import Header, HTTPException
from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"


def write_json_lines() -> None:
    """Makes structlog write one JSON object a line to stdout."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
    )


def listen(port: int) -> socket.socket:
    """Returns a socket that listens on loopback; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    listener.listen(512)
    return listener


def port_of(listener: socket.socket) -> int:
    """Returns the port a socket is bound to."""
    return int(listener.getsockname()[1])


def stop_event() -> asyncio.Event:
    """Returns an event that SIGTERM and SIGINT set."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


class _QuietServer(uvicorn.Server):
    """Leaves signals to the program around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Captures none: see `stop_event`."""
        yield


async def serve_until(app: ASGIApp, listener: socket.socket, stopped: asyncio.Event) -> None:
    """Serves an ASGI app until the event is set."""
    config = uvicorn.Config(app, access_log=False, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = _QuietServer(config)
    serving = asyncio.create_task(server.serve([listener]))
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    waiting.cancel()


def load_token(path: Path) -> str:
    """Returns the control token in `path`, which only the owner may read; a missing one is made.

    Several programs may ask at the same time: the file appears with its content, and the first one stays.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32))
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_text(encoding="ascii").strip()


def require_token(token: str) -> Callable[[str], Awaitable[None]]:
    """Returns a FastAPI dependency that refuses requests without `Authorization: Bearer <token>`."""

    async def check(authorization: str = Header("")) -> None:
        if not secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "the control token is missing or wrong")

    return check

"""A small server inside a process that has other work, and its own way to stop."""

import asyncio
import contextlib
from collections.abc import Generator
from typing import Final

import uvicorn
from fastapi import FastAPI

_GRACE_S: Final = 1


class _Inside(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture nothing."""
        yield


async def serve_inside(app: FastAPI, *, host: str, port: int) -> None:
    """Serve `app` until cancelled; its port is free again then."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Inside(config)
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True  # uvicorn leaves its socket open when it is cancelled
        await serving

"""A small server inside a process that has other work, and its own way to stop."""

import contextlib
from collections.abc import Generator

import uvicorn
from fastapi import FastAPI


class _Inside(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture nothing."""
        yield


async def serve_inside(app: FastAPI, *, host: str, port: int) -> None:
    """Serve `app` until cancelled."""
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    await _Inside(config).serve()

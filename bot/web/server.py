"""Serves the web application until the process is told to stop."""

from typing import Final

import uvicorn
from fastapi import FastAPI

_GRACE_S: Final = 5


async def serve(app: FastAPI, *, host: str, port: int) -> None:
    """Serve `app` until SIGTERM or SIGINT, then let requests finish for a few seconds.

    Event streams never finish by themselves; they are cut at the end of these seconds and resume elsewhere.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,  # the process has configured its logs already
        access_log=False,  # what matters of a request is an event of its own
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=64 * 1024,
    )
    await uvicorn.Server(config).serve()

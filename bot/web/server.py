"""Serves the web application until the process is told to stop."""

import asyncio
import contextlib
import signal
from collections.abc import Generator
from typing import Final

import uvicorn
from fastapi import FastAPI

_GRACE_S: Final = 5
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """Returns after SIGTERM or SIGINT, so that the process can put away its things.

    uvicorn's own raises the signal once more when it has shut down, which ends the process there and then.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Shut down on a signal; a second SIGINT does it at once."""
        loop = asyncio.get_running_loop()
        for number in _STOPS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _STOPS:
                loop.remove_signal_handler(number)


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
    await Server(config).serve()

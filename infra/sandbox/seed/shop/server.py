"""Starts a service: uvicorn on a port or on a socket inherited from a supervisor."""

import logging
import os
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from shop.runtime import Runtime, parse_runtime

DRAIN_S = 5
KEEP_ALIVE_S = 75


class _Server(uvicorn.Server):
    """Tells the supervisor, if there is one, when requests are accepted."""

    def __init__(self, config: uvicorn.Config, ready_fd: int | None) -> None:
        super().__init__(config)
        self._ready_fd = ready_fd

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts listening."""
        await super().startup(sockets)
        if self.started and self._ready_fd is not None:
            os.write(self._ready_fd, b"\n")
            os.close(self._ready_fd)


def run(service: str, create_app: Callable[[Runtime], FastAPI]) -> None:
    """Serves the app that `create_app` makes until SIGTERM or SIGINT; open requests are finished first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    runtime = parse_runtime(service)
    config = uvicorn.Config(
        create_app(runtime),
        host="127.0.0.1",
        port=runtime.port,
        access_log=False,
        log_level="info",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
    sockets = None if runtime.listen_fd is None else [socket.socket(fileno=runtime.listen_fd)]
    _Server(config, runtime.ready_fd).run(sockets)

"""Where Scout listens: OTLP/HTTP with its query API, and OTLP/gRPC, in one event loop."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from bot.settings import Settings, SettingsError
from bot.web.protocol import BoundedProtocol
from bot.web.server import Server
from telemetry.otlp import Receiver
from telemetry.otlp.grpc_server import GrpcServer, PortTakenError

log = structlog.get_logger()

_GRACE_S: Final = 3
_BACKLOG: Final = 2048


async def serve(app: ASGIApp, receiver: Receiver, settings: Settings, watch: Coroutine[Any, Any, None]) -> None:
    """Serve and watch; whichever ends first ends the other, and a failed watch fails the process.

    Raises:
        SettingsError: a port cannot be listened on.
    """
    over_grpc = GrpcServer(receiver)
    watching = asyncio.create_task(watch)
    try:
        with _listener(settings.scout_host, settings.scout_port) as listener:
            grpc_port = await _start(over_grpc, settings)
            log.info(
                "scout_started", host=settings.scout_host, port=listener.getsockname()[1], grpc_port=grpc_port or "off"
            )
            server = Server(config_of(app))
            serving = asyncio.create_task(server.serve([listener]))
            await asyncio.wait({serving, watching}, return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            await asyncio.gather(serving, over_grpc.stop(_GRACE_S))
        if watching.done():
            watching.result()
    finally:
        watching.cancel()
        await asyncio.gather(watching, over_grpc.stop(0), return_exceptions=True)


def config_of(app: ASGIApp, **more: Any) -> uvicorn.Config:
    """Return how Scout is served, with `more` of uvicorn's settings."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        log_config=None,  # the process has configured its logs already
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody asks where a request came from
        timeout_graceful_shutdown=_GRACE_S,
        **more,
    )


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise _taken("SRE_SPACE_SCOUT_PORT", "0 picks a free one", f"{host}:{port}", error.strerror) from error


async def _start(over_grpc: GrpcServer, settings: Settings) -> int | None:
    """Return the port of gRPC, None where it is switched off."""
    if settings.scout_grpc_port == "off":
        return None
    try:
        return await over_grpc.start(settings.scout_host, settings.scout_grpc_port)
    except PortTakenError as error:
        where, ways = f"{settings.scout_host}:{settings.scout_grpc_port}", "0 picks a free one, off switches gRPC off"
        raise _taken("SRE_SPACE_SCOUT_GRPC_PORT", ways, where, "is another program there?") from error


def _taken(variable: str, ways: str, where: str, reason: str | None) -> SettingsError:
    remedy = f"Stop the other program, or set it to another port ({ways})"
    return SettingsError(variable, f"asks for {where}, which cannot be listened on: {reason}", remedy)

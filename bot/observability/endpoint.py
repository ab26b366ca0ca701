"""GET /metrics: this process's metrics in Prometheus's text format."""

import hmac
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Refresh = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Refresh nothing."""


def metrics_router(registry: CollectorRegistry, token: str | None, refresh: Refresh = _nothing) -> APIRouter:
    """Return `/metrics`. With a `token` it wants it as bearer; `refresh` is awaited before each answer."""
    router = APIRouter()

    async def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if token is not None and not hmac.compare_digest(given, f"Bearer {token}".encode()):
            return PlainTextResponse(
                "Send SRE_SPACE_METRICS_TOKEN as bearer token.\n", 401, {"WWW-Authenticate": "Bearer"}
            )
        await refresh()
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=content_type)

    router.add_api_route("/metrics", metrics, methods=["GET"])
    return router

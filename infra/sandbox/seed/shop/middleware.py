"""ASGI middleware: one SERVER span and one duration measurement for each request."""

import logging
import time

from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shop.telemetry import Telemetry, record_failure

logger = logging.getLogger(__name__)

SERVER_ERROR = 500
HEALTH_PATH = "/healthz"


class TelemetryMiddleware:
    """Observes every request but health checks; an unhandled exception is recorded and answered with 500."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._tracer = telemetry.tracer
        self._duration = telemetry.meter.create_histogram(
            "http.server.request.duration", unit="s", description="Duration of HTTP server requests"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one ASGI connection."""
        if scope["type"] != "http" or scope["path"] == HEALTH_PATH:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        attributes = {
            "http.request.method": scope["method"],
            "url.path": scope["path"],
            "url.scheme": scope["scheme"],
        }
        started_s = time.perf_counter()
        with self._tracer.start_as_current_span(
            scope["method"], extract(headers), SpanKind.SERVER, attributes=attributes
        ) as span:
            status = SERVER_ERROR
            failed = False

            async def send_noting_status(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await self._app(scope, receive, send_noting_status)
            except Exception as error:  # noqa: BLE001 - the edge of the service; the span has the stack
                logger.warning("%s %s failed: %s", scope["method"], scope["path"], error)
                failed = True
                record_failure(span, error)
                await JSONResponse({"detail": "Internal Server Error"}, SERVER_ERROR)(scope, receive, send)
            labels = _labels(scope, status)
            span.set_attributes(labels)
            if "http.route" in labels:
                span.update_name(f"{scope['method']} {labels['http.route']}")
            if status >= SERVER_ERROR and not failed:
                span.set_attribute("error.type", str(status))
                span.set_status(Status(StatusCode.ERROR))
            self._duration.record(time.perf_counter() - started_s, labels)


def _labels(scope: Scope, status: int) -> dict[str, str | int]:
    labels = {"http.request.method": scope["method"], "http.response.status_code": status}
    route = getattr(scope.get("route"), "path", None)
    return labels if route is None else {**labels, "http.route": route}

"""The receiver's web application: OTLP/HTTP of the OpenTelemetry protocol specification 1.x."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from google.protobuf.message import Message
from google.rpc import code_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from telemetry.otlp.auth import tenant_of
from telemetry.otlp.body import Room, read_body
from telemetry.otlp.codec import Encoding, decode, encode_status, encode_taken, encoding_of
from telemetry.otlp.errors import OverloadedError, RefusedError
from telemetry.state import Taken, TelemetryState

log = structlog.get_logger()

_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
_CLIENT_CLOSED = 499


@dataclass(frozen=True, slots=True)
class ReceiverLimits:
    """Bounds of the receiver."""

    max_body_bytes: int = 16 * 1024 * 1024
    """Of one request, on the wire and after decompression."""
    max_requests: int = 256
    """In flight at once."""
    max_bytes_in_flight: int = 64 * 1024 * 1024
    retry_after_s: int = 2


@dataclass(frozen=True, slots=True)
class _Signal:
    """One signal of OTLP: its path, messages, and where it goes."""

    path: str
    request: type[Any]
    response: type[Message]
    rejected_field: str
    take: Callable[[str, Any], Taken]


def _signals(state: TelemetryState) -> tuple[_Signal, ...]:
    return (
        _Signal(
            "/v1/traces", ExportTraceServiceRequest, ExportTraceServiceResponse, "rejected_spans", state.add_traces
        ),
        _Signal(
            "/v1/metrics",
            ExportMetricsServiceRequest,
            ExportMetricsServiceResponse,
            "rejected_data_points",
            state.add_metrics,
        ),
        _Signal(
            "/v1/logs", ExportLogsServiceRequest, ExportLogsServiceResponse, "rejected_log_records", state.add_logs
        ),
    )


def receiver_routes(
    state: TelemetryState,
    limits: ReceiverLimits | None = None,
    tokens: Mapping[str, str] | None = None,
    *,
    is_overloaded: Callable[[], bool] = lambda: False,
) -> list[Route]:
    """Return the routes of the receiver, for an application that has others besides.

    `tokens` maps bearer tokens to tenants; without any, everything belongs to tenant `default`. While
    `is_overloaded` (the memory guard) says so, requests are answered with 503.
    """
    limits = limits or ReceiverLimits()
    room = Room(limits.max_requests, limits.max_bytes_in_flight, limits.retry_after_s)
    return [
        Route(signal.path, _endpoint(signal, limits, tokens or {}, room, is_overloaded), methods=_METHODS)
        for signal in _signals(state)
    ]


def create_receiver(
    state: TelemetryState,
    limits: ReceiverLimits | None = None,
    tokens: Mapping[str, str] | None = None,
    *,
    is_overloaded: Callable[[], bool] = lambda: False,
) -> Starlette:
    """Return the receiver as an application, to which other routes may be added; see `receiver_routes`.

    What goes wrong inside is answered with a Status of 500, then raised for the server to log.
    """
    return Starlette(
        routes=receiver_routes(state, limits, tokens, is_overloaded=is_overloaded),
        exception_handlers={Exception: _answer_failure},
    )


async def _answer_failure(request: Request, _: Exception) -> Response:
    try:
        encoding = encoding_of(request.headers.get("content-type", ""))
    except RefusedError:
        encoding = Encoding.JSON
    failure = RefusedError("the receiver failed; its log says why")
    return _refusal(failure, encoding)


def _refusal(refusal: RefusedError, encoding: Encoding) -> Response:
    content = encode_status(refusal.code, refusal.message, encoding)
    return Response(content, refusal.status, {**refusal.headers, "Content-Type": encoding})


def _endpoint(
    signal: _Signal,
    limits: ReceiverLimits,
    tokens: Mapping[str, str],
    room: Room,
    is_overloaded: Callable[[], bool],
) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request, encoding: Encoding) -> bytes:
        tenant = tenant_of(request.headers.get("authorization", ""), tokens)
        if is_overloaded():
            raise OverloadedError("memory is short", retry_after_s=limits.retry_after_s)
        with room.enter() as share:
            body = await read_body(
                request.stream(),
                request.headers.get("content-encoding", ""),
                limits.max_body_bytes,
                share,
                declared=_declared(request),
            )
            taken = signal.take(tenant, decode(signal.request, body, encoding))
        return encode_taken(signal.response(), signal.rejected_field, taken.rejected, taken.reason, encoding)

    async def endpoint(request: Request) -> Response:
        encoding = Encoding.JSON  # for those whose own we cannot tell; a person with curl reads it best
        try:
            if request.method != "POST":
                raise _MethodError("telemetry is sent by POST", headers={"Allow": "POST"})
            encoding = encoding_of(request.headers.get("content-type", ""))
            content = await take(request, encoding)
        except RefusedError as refusal:
            log.info("telemetry_refused", path=signal.path, status=refusal.status, reason=refusal.message)
            return _refusal(refusal, encoding)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED)
        return Response(content, headers={"Content-Type": encoding})

    return endpoint


class _MethodError(RefusedError):
    """The method is not POST."""

    status = 405
    code = code_pb2.UNIMPLEMENTED


def _declared(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None

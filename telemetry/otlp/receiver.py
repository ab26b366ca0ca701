"""The receiver without its transports: who may send, whether there is room, and what becomes of a body."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from telemetry.otlp.auth import tenant_of
from telemetry.otlp.body import Body
from telemetry.otlp.codec import Encoding, decode, decode_traces, encode_taken
from telemetry.otlp.errors import OverloadedError, RefusedError, SlowError
from telemetry.otlp.room import Room, Share
from telemetry.state import Taken, TelemetryState

log = structlog.get_logger()

_LOG_EVERY_S = 1.0
_PAUSE = 0.05  # of what the last request took


@dataclass(frozen=True, slots=True)
class ReceiverLimits:
    """Bounds of the receiver, of all its transports together."""

    max_body_bytes: int = 16 * 1024 * 1024
    """Of one request, on the wire and after decompression."""
    max_message_bytes: int = 4 * 1024 * 1024
    """Of one gRPC message on the wire: what gRPC servers take by custom."""
    max_requests: int = 256
    """In flight at once."""
    max_bytes_in_flight: int = 64 * 1024 * 1024
    retry_after_s: int = 2
    read_timeout_s: float = 30.0
    """How long one request may take to arrive."""


@dataclass(frozen=True, slots=True)
class OtlpSignal:
    """One signal of OTLP: its HTTP path and gRPC method, its messages, and where it goes."""

    path: str
    method: str
    response: type[Message]
    rejected_field: str
    take: Callable[[str, bytes, Encoding], Taken]
    """Takes a body of a tenant; raises UndecodableError."""


class Receiver:
    """Takes export requests into a state, one at a time and in order of arrival.

    `tokens` maps bearer tokens to tenants; without any, everything belongs to tenant `default`. While
    `is_overloaded` (the memory guard) says so, everything is refused. Runs in the thread of the state.
    """

    def __init__(
        self,
        state: TelemetryState,
        limits: ReceiverLimits | None = None,
        tokens: Mapping[str, str] | None = None,
        *,
        is_overloaded: Callable[[], bool] = lambda: False,
    ) -> None:
        self.limits = limits or ReceiverLimits()
        self.signals = _signals(state)
        self.refused: dict[str, int] = {}
        """Requests that were not taken, by `google.rpc` code in lower case."""
        self._tokens = tokens or {}
        self._is_overloaded = is_overloaded
        self._room = Room(self.limits.max_requests, self.limits.max_bytes_in_flight, self.limits.retry_after_s)
        self._turn = asyncio.Lock()
        self._handed_over = 0
        self._busy_s = 0.0
        self._log_from = float("-inf")
        self._unlogged = 0

    @property
    def in_flight(self) -> int:
        """Requests that are being read or wait for their turn."""
        return self._room.requests

    async def take(
        self, signal: OtlpSignal, authorization: str, read: Callable[[Share], Awaitable[Body]], encoding: Encoding
    ) -> bytes:
        """Return the export response to one request, in its own encoding.

        `read` returns the body and takes room for it from its share; it is not called for who may not send. Unpacked
        and decoded it is when its turn has come: what is refused costs neither. Raises a RefusedError.
        """
        tenant = tenant_of(authorization, self._tokens)
        if self._is_overloaded():
            raise OverloadedError("memory is short", retry_after_s=self.limits.retry_after_s)
        with self._room.enter() as share:
            try:
                async with asyncio.timeout(self.limits.read_timeout_s):
                    body = await read(share)
            except TimeoutError as error:
                raise SlowError(f"the request took more than {self.limits.read_timeout_s:g} s to arrive") from error
            async with self._turn:
                await self._let_arrive()
                started = time.monotonic()
                taken = signal.take(tenant, body.unpacked(), encoding)
                self._busy_s = time.monotonic() - started
        return encode_taken(signal.response(), signal.rejected_field, taken.rejected, taken.reason, encoding)

    def handed_over(self) -> None:
        """Note that a transport has handed over one request and may hold back others, as the gRPC library does."""
        self._handed_over += 1

    async def _let_arrive(self) -> None:
        """Let the event loop bring what has been sent meanwhile, before the next decoding holds it up again.

        What waits then waits in the room, which is bounded, and not in the kernel or the gRPC library, where nobody
        sees that there is too much of it and answers come after ten seconds. One turn of the loop reads every socket.
        gRPC hands over one call at a time: as long as they come it gets more time, up to what the last request took,
        and the fuller the room is, the longer a pause is waited for.
        """
        before, self._handed_over = self._handed_over, 0
        await asyncio.sleep(0)
        if not before:
            return
        quiet_s = self._busy_s * (_PAUSE + (1 - _PAUSE) * self._room.fullness)
        now = quiet_from = time.monotonic()
        end, before = now + self._busy_s, self._handed_over
        while now < end and now - quiet_from < quiet_s:
            await asyncio.sleep(0)
            now = time.monotonic()
            if self._handed_over != before:
                before, quiet_from = self._handed_over, now

    def refuse(self, refusal: RefusedError, where: str) -> None:
        """Count a refusal and log it: one a second, with how many there were since the last that was logged."""
        code = Code.Name(refusal.code).lower()
        self.refused[code] = self.refused.get(code, 0) + 1
        now = time.monotonic()
        if now < self._log_from:
            self._unlogged += 1
            return
        log.info("telemetry_refused", where=where, code=code, reason=refusal.message, others=self._unlogged)
        self._log_from, self._unlogged = now + _LOG_EVERY_S, 0


def _signals(state: TelemetryState) -> tuple[OtlpSignal, ...]:
    """Return the signals with the names of the OTLP specification."""
    package = "opentelemetry.proto.collector"
    return (
        OtlpSignal(
            "/v1/traces",
            f"/{package}.trace.v1.TraceService/Export",
            ExportTraceServiceResponse,
            "rejected_spans",
            lambda tenant, body, encoding: state.add_spans(tenant, decode_traces(body, encoding)),
        ),
        OtlpSignal(
            "/v1/metrics",
            f"/{package}.metrics.v1.MetricsService/Export",
            ExportMetricsServiceResponse,
            "rejected_data_points",
            lambda tenant, body, encoding: state.add_metrics(
                tenant, decode(ExportMetricsServiceRequest, body, encoding)
            ),
        ),
        OtlpSignal(
            "/v1/logs",
            f"/{package}.logs.v1.LogsService/Export",
            ExportLogsServiceResponse,
            "rejected_log_records",
            lambda tenant, body, encoding: state.add_logs(tenant, decode(ExportLogsServiceRequest, body, encoding)),
        ),
    )

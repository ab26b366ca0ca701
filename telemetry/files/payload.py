"""Bytes of one message to an export request: the signal is recognised by its content."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry import zstd
from telemetry.files.recorded import Recorded, SignalKind, items_of
from telemetry.otlp.codec import Encoding, decode
from telemetry.otlp.errors import UndecodableError

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""A message that is larger, packed or unpacked, is refused: a small file must not fill the memory."""

_TYPES: dict[SignalKind, type[Message]] = {
    SignalKind.TRACES: ExportTraceServiceRequest,
    SignalKind.METRICS: ExportMetricsServiceRequest,
    SignalKind.LOGS: ExportLogsServiceRequest,
}
_BY_KEY = {
    "resourceSpans": SignalKind.TRACES,
    "resourceMetrics": SignalKind.METRICS,
    "resourceLogs": SignalKind.LOGS,
}
_ID_BYTES = 16
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class UnreadableError(ValueError):
    """A message cannot be read; the text completes "message 3 …"."""


def named_kind(path: Path) -> SignalKind | None:
    """Return the signal that a file's name speaks of, None when it names none."""
    return next((kind for kind in SignalKind if kind in path.name), None)


def read_payload(packed: bytes, likely: SignalKind | None, place: str) -> Recorded:
    """Return the export request in a message, unpacked when it is a zstd frame.

    JSON is told from protobuf by its first byte (`{` begins no protobuf message of OTLP). The signal of JSON follows
    from its key, that of protobuf from which of the three messages makes sense, `likely` first.

    Raises:
        UnreadableError: it is not an export request.
    """
    try:
        payload = zstd.unpacked(packed, MAX_MESSAGE_BYTES) if packed.startswith(zstd.MAGIC) else packed
    except zstd.FrameError as error:
        raise UnreadableError(str(error)) from error
    if payload[:1] == b"{":  # not after white space: a line feed is the first byte of a message of OTLP in protobuf
        return _from_json(payload, place)
    return _from_protobuf(payload, likely, place)


def _from_json(payload: bytes, place: str) -> Recorded:
    try:
        kind = next((_BY_KEY[key] for key in _KEYS.decode(payload) if key in _BY_KEY), None)
        if kind is None:
            raise UnreadableError(f"is JSON without one of the keys {', '.join(_BY_KEY)}")
        return Recorded(kind, Encoding.JSON, payload, decode(_TYPES[kind], payload, Encoding.JSON), place)
    except (msgspec.DecodeError, UndecodableError, UnicodeError) as error:
        raise UnreadableError(f"is not OTLP as JSON: {error}") from error


def _from_protobuf(payload: bytes, likely: SignalKind | None, place: str) -> Recorded:
    first = [] if likely is None else [likely]
    fallback: Recorded | None = None
    for kind in (*first, *(kind for kind in SignalKind if kind not in first)):
        try:
            request = decode(_TYPES[kind], payload, Encoding.PROTOBUF)
        except UndecodableError:
            continue
        found = Recorded(kind, Encoding.PROTOBUF, payload, request, place)
        if _makes_sense(kind, request):
            return found
        if kind is likely and (not payload or any(True for _ in items_of(kind, request))):
            fallback = found
    if fallback is None:
        raise UnreadableError("is neither spans, metrics nor logs of OTLP")
    return fallback


def _makes_sense(kind: SignalKind, request: Any) -> bool:
    """Return whether the first item has what its kind has and the others cannot have in the same fields."""
    match kind:
        case SignalKind.TRACES:
            span = next(items_of(kind, request), None)
            return span is not None and len(span.trace_id) == _ID_BYTES and span.end_time_unix_nano > 0
        case SignalKind.METRICS:
            metric = next(_metrics(request), None)
            return metric is not None and metric.WhichOneof("data") is not None
        case SignalKind.LOGS:
            record = next(items_of(kind, request), None)
            return record is not None and (record.time_unix_nano or record.observed_time_unix_nano) > 0


def _metrics(request: ExportMetricsServiceRequest) -> Iterator[Any]:
    return (metric for group in request.resource_metrics for scope in group.scope_metrics for metric in scope.metrics)

"""Telemetry files as the Collector's file exporter writes them: JSON lines, or length-prefixed protobuf in zstd frames.

https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/fileexporter#file-format
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import zstandard
from google.protobuf.message import DecodeError as ProtobufDecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from action.errors import TelemetryFileError
from telemetry.otlp.errors import UndecodableError
from telemetry.otlp.json_decode import decode_json

Request = ExportTraceServiceRequest | ExportMetricsServiceRequest | ExportLogsServiceRequest

KINDS: dict[str, type[Request]] = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
BY_KEY: dict[str, type[Request]] = {
    "resourceSpans": ExportTraceServiceRequest,
    "resourceMetrics": ExportMetricsServiceRequest,
    "resourceLogs": ExportLogsServiceRequest,
}
HEAD_BYTES = 4
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class TelemetryFile:
    """One file, read from where the last look ended: a file exporter may still be writing to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new(self) -> Iterator[Request]:
        """Yield the messages that were added since the last call; an unfinished last one is left for the next.

        Raises:
            TelemetryFileError: the file is not what a file exporter writes.
        """
        if self._path.suffix in {".json", ".jsonl"}:
            yield from self._lines()
        elif self._path.suffix == ".zst":
            yield from self._frames()
        else:
            raise self._wrong("is neither .json, .jsonl nor .zst")

    def _lines(self) -> Iterator[Request]:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                if line.strip():
                    yield self._from_json(line)

    def _from_json(self, line: bytes) -> Request:
        try:
            kind = next((BY_KEY[key] for key in _KEYS.decode(line) if key in BY_KEY), None)
            if kind is None:
                raise self._wrong("has a line that is no OTLP request")
            return decode_json(kind, line)
        except (msgspec.DecodeError, UndecodableError) as error:
            raise self._wrong(f"has a line that cannot be read: {error}") from error

    def _frames(self) -> Iterator[Request]:
        kind = next((kind for name, kind in KINDS.items() if name in self._path.name), None)
        if kind is None:
            raise self._wrong("must have `traces`, `metrics` or `logs` in its name")
        unpack = zstandard.ZstdDecompressor()
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while len(head := file.read(HEAD_BYTES)) == HEAD_BYTES:
                (length,) = struct.unpack(">I", head)
                if length > MAX_MESSAGE_BYTES:
                    raise self._wrong(f"has a message of {length} bytes")
                frame = file.read(length)
                if len(frame) < length:
                    return
                self._offset += HEAD_BYTES + length
                yield self._from_frame(kind, unpack, frame)

    def _from_frame(self, kind: type[Request], unpack: zstandard.ZstdDecompressor, frame: bytes) -> Request:
        try:
            size = zstandard.frame_content_size(frame)
            if size > MAX_MESSAGE_BYTES:
                raise self._wrong(f"has a message of {size} bytes")
            return kind.FromString(unpack.decompress(frame, max_output_size=MAX_MESSAGE_BYTES))
        except (zstandard.ZstdError, ProtobufDecodeError) as error:
            raise self._wrong(f"has a message that cannot be read: {error}") from error

    def _wrong(self, problem: str) -> TelemetryFileError:
        return TelemetryFileError(str(self._path), problem)


def newest_ns(request: Any) -> int:
    """Return the newest time in a message, in Unix nanoseconds; 0 when it has none."""
    if isinstance(request, ExportTraceServiceRequest):
        times = (s.end_time_unix_nano for r in request.resource_spans for c in r.scope_spans for s in c.spans)
    elif isinstance(request, ExportLogsServiceRequest):
        times = (
            record.time_unix_nano or record.observed_time_unix_nano
            for r in request.resource_logs
            for c in r.scope_logs
            for record in c.log_records
        )
    else:
        times = (
            point.time_unix_nano
            for r in request.resource_metrics
            for c in r.scope_metrics
            for metric in c.metrics
            for point in (*metric.gauge.data_points, *metric.sum.data_points)
        )
    return max(times, default=0)

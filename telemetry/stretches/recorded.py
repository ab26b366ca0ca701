"""Recorded telemetry to profiles: a folder of Collector files, or single files, and the windows to compare."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from telemetry.errors import TelemetryFileError
from telemetry.files import SignalKind, TelemetryFile
from telemetry.profile.rows import LogRow, PointRow, SpanRow
from telemetry.profile.sites import site_of
from telemetry.profile.window import Profile
from telemetry.scrub import scrub_name
from telemetry.state.resource import UNKNOWN_SERVICE
from telemetry.stretches.bundle import Windows
from telemetry.stretches.points import Points

MAX_SPANS = 1_000_000
"""Spans of the windows that are kept; then whole traces are left out. About 300 MB."""
_STATUS_ERROR = 2
_LONGEST_NS = 60_000_000_000
"""Records of a trace are taken until this long after its window: it may end later than that."""
MAX_LOGS = 1_000_000
MAX_POINTS = 2_000_000

Stretch = tuple[int, int]


def files_in(folder: Path) -> list[Path]:
    """Return the telemetry files of a folder, by name: those that name a signal.

    Raises:
        TelemetryFileError: it is no folder that can be read.
    """
    try:
        return sorted(p for p in folder.iterdir() if p.is_file() and any(kind in p.name for kind in SignalKind))
    except OSError as error:
        raise TelemetryFileError(str(folder), f"cannot be read: {error.strerror or error}") from error


def read_windows(
    files: Iterable[Path], normal: Sequence[Stretch], fault: Stretch, normal_points: Sequence[Stretch] | None = None
) -> Windows:
    """Return the profiles and points of the windows; all times are Unix nanoseconds.

    A trace belongs to the window in which its first span starts. `normal_points` are the stretches for metrics, where
    those are others. What is outside of every window is read and forgotten.

    Raises:
        TelemetryFileError: a file cannot be read.
    """
    reader = _Reader(normal, fault, normal if normal_points is None else normal_points)
    for path in files:
        for message in TelemetryFile(path).messages():
            match message.kind:
                case SignalKind.TRACES:
                    reader.take_spans(message.request)
                case SignalKind.LOGS:
                    reader.take_logs(message.request)
                case SignalKind.METRICS:
                    reader.take_points(message.request)
    return reader.windows()


class _Reader:
    def __init__(self, normal: Sequence[Stretch], fault: Stretch, points: Sequence[Stretch]) -> None:
        self._stretches = [fault, *normal]
        self._point_stretches = points
        self._points = Points()
        self._result = Windows(normal_ns=normal, fault_ns=fault)
        self._traces: dict[bytes, list[SpanRow]] = {}
        self._logs: defaultdict[bytes, list[tuple[bytes, LogRow]]] = defaultdict(list)
        self._names: dict[str, str] = {}
        self._spans = self._log_count = 0

    def take_spans(self, request: Any) -> None:
        for group in request.resource_spans:
            service, _ = self._who(group.resource)
            for scope in group.scope_spans:
                for span in scope.spans:
                    self._take_span(span, service)

    def _take_span(self, span: Any, service: str) -> None:
        start_ns = span.start_time_unix_nano
        if not any(first <= start_ns < last for first, last in self._stretches):
            return
        rows = self._traces.get(span.trace_id)
        if rows is None:
            if self._spans >= MAX_SPANS:
                return
            rows = self._traces[span.trace_id] = []
        rows.append(
            SpanRow(
                span.trace_id,
                span.span_id,
                span.parent_span_id,
                service,
                self._name(span.name),
                start_ns,
                max(start_ns, span.end_time_unix_nano),
                span.status.code == _STATUS_ERROR,
            )
        )
        self._spans += 1

    def take_logs(self, request: Any) -> None:
        for group in request.resource_logs:
            for scope in group.scope_logs:
                for record in scope.log_records:
                    time_ns = record.time_unix_nano or record.observed_time_unix_nano
                    if record.span_id and self._log_count < MAX_LOGS and self._is_near(time_ns):
                        self._log_count += 1
                        row = LogRow(time_ns, site_of(record.body.string_value), record.severity_number)
                        self._logs[record.trace_id].append((record.span_id, row))

    def _is_near(self, time_ns: int) -> bool:
        return any(first <= time_ns < last + _LONGEST_NS for first, last in self._stretches)

    def take_points(self, request: Any) -> None:
        for group in request.resource_metrics:
            service, pod = self._who(group.resource)
            for scope in group.scope_metrics:
                for metric in scope.metrics:
                    for row in self._points.take(metric, service, pod):
                        self._place(row)

    def _place(self, row: PointRow) -> None:
        if len(self._result.normal_points) + len(self._result.fault_points) >= MAX_POINTS:
            return
        if self._result.fault_ns[0] <= row.time_ns < self._result.fault_ns[1]:
            self._result.fault_points.append(row)
        elif any(first <= row.time_ns <= last for first, last in self._point_stretches):
            self._result.normal_points.append(row)

    def windows(self) -> Windows:
        for row in self._points.rest():
            self._place(row)
        profiles = [Profile() for _ in self._stretches]
        for trace_id, spans in self._traces.items():
            first_ns = min(span.start_ns for span in spans)
            found = (n for n, (start, end) in enumerate(self._stretches) if start <= first_ns < end)
            logs: defaultdict[bytes, list[LogRow]] = defaultdict(list)
            for span_id, row in self._logs.get(trace_id, ()):
                logs[span_id].append(row)
            profiles[next(found)].add(spans, logs)
        self._result.fault, self._result.normal = profiles[0], profiles[1:]
        return self._result

    def _name(self, name: str) -> str:
        known = self._names.get(name)
        if known is None:
            known = scrub_name(name)
            if len(self._names) < MAX_SPANS:
                self._names[name] = known
        return known

    def _who(self, resource: Any) -> tuple[str, str]:
        found = {a.key: a.value.string_value for a in resource.attributes if a.key in {"service.name", "k8s.pod.name"}}
        service = self._name(found.get("service.name", UNKNOWN_SERVICE))
        pod = self._name(found.get("k8s.pod.name", ""))
        if pod:
            self._result.pods.setdefault(service, set()).add(pod)
        return service, pod

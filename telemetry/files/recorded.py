"""One recorded message: which signal it carries, what is in it, and when that was."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from telemetry.otlp.codec import Encoding

AHEAD_NS = 3_600_000_000_000
"""A time so far ahead of those around it is that of a clock that is wrong."""
_DATA = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


class SignalKind(StrEnum):
    """The signals of OTLP, by the last part of their path (`/v1/traces`)."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"


_PARTS = {
    SignalKind.TRACES: ("resource_spans", "scope_spans", "spans"),
    SignalKind.METRICS: ("resource_metrics", "scope_metrics", "metrics"),
    SignalKind.LOGS: ("resource_logs", "scope_logs", "log_records"),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """An export request of a file. `payload` is the request without compression, `place` says where it stands."""

    kind: SignalKind
    encoding: Encoding
    payload: bytes
    request: Any
    place: str

    @property
    def items(self) -> int:
        """How many spans, metric points or log records it holds."""
        return sum(1 for _ in items_of(self.kind, self.request))

    @property
    def newest_ns(self) -> int:
        """The newest time in it in Unix nanoseconds, 0 when it has none: the end of a span, or a point's time.

        Times that lie more than an hour beyond all others, where at least half of them are, come from a clock that
        runs ahead, and do not count.
        """
        times = sorted(at for item in items_of(self.kind, self.request) if (at := _time_ns(self.kind, item)))
        middle = len(times) // 2
        for before_ns, after_ns in pairwise(times[middle:]):
            if after_ns - before_ns > AHEAD_NS:
                return before_ns
        return times[-1] if times else 0


def _time_ns(kind: SignalKind, item: Any) -> int:
    match kind:
        case SignalKind.TRACES:
            return item.end_time_unix_nano
        case SignalKind.METRICS:
            return item.time_unix_nano
        case SignalKind.LOGS:
            return item.time_unix_nano or item.observed_time_unix_nano


def items_of(kind: SignalKind, request: Any) -> Iterator[Any]:
    """Yield the spans, metric points or log records of an export request."""
    groups, scopes, name = _PARTS[kind]
    for group in getattr(request, groups):
        for scope in getattr(group, scopes):
            for item in getattr(scope, name):
                if kind is SignalKind.METRICS:
                    yield from _points(item)
                else:
                    yield item


def _points(metric: Any) -> Iterator[Any]:
    for name in _DATA:
        data = getattr(metric, name, None)
        if data is not None:
            yield from data.data_points

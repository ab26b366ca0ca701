"""Recorded metrics to points of gauges: counters become rates, histograms and summaries the mean of what they saw.

The records of a file come in any order, so totals are kept until all are read and compared in order of time then. The
rules are those of the OpenTelemetry metrics data model ("Sums", "Histogram", "Resets and Gaps"): a cumulative total
that fell, or whose start moved, began anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from telemetry.profile.rows import PointRow
from telemetry.scrub import scrub_name
from telemetry.state.metrics import attributes_of, is_measured, number_of

MAX_TOTALS = 2_000_000
"""Totals of counters and histograms that are kept; what comes after that is not looked at."""
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_NO_VALUE = 1  # DataPointFlags.NO_RECORDED_VALUE
_NS = 1e9
_DISTRIBUTIONS = frozenset({"histogram", "exponential_histogram", "summary"})


class _Total(NamedTuple):
    """A cumulative total at a time; `seen` is how much a distribution holds, None of a counter."""

    time_ns: int
    start_ns: int
    total: float
    seen: int | None


class Points:
    """The points of one recording, from metrics in any order."""

    def __init__(self) -> None:
        self._totals: defaultdict[PointRow, set[_Total]] = defaultdict(set)
        self._count = 0

    def take(self, metric: Metric, service: str, pod: str) -> Iterator[PointRow]:
        """Yield what a metric says by itself; cumulative totals are kept for `rest`."""
        kind = metric.WhichOneof("data")
        if kind is None:
            return
        data: Any = getattr(metric, kind)
        counts = kind in _DISTRIBUTIONS
        is_delta = kind not in {"summary", "gauge"} and data.aggregation_temporality == _DELTA
        name, unit = _clean(metric.name), _clean(metric.unit)
        for point in data.data_points:
            value = float(point.sum) if counts else number_of(point)
            if point.flags & _NO_VALUE or not point.time_unix_nano or not is_measured(value):
                continue
            labels = attributes_of(point.attributes) if point.attributes else ()
            row = PointRow(service, pod, name, unit, 0, 0.0, labels)
            if kind == "gauge" or (kind == "sum" and not data.is_monotonic and not is_delta):
                yield row._replace(time_ns=point.time_unix_nano, value=value)
            elif not is_delta:
                self._keep(row, point, counts=counts)
            elif counts or data.is_monotonic:
                yield from _interval(row, _total(point, counts=counts), point.start_time_unix_nano)

    def _keep(self, row: PointRow, point: Any, *, counts: bool) -> None:
        if self._count < MAX_TOTALS:
            self._count += 1
            self._totals[row].add(_total(point, counts=counts))

    def rest(self) -> Iterator[PointRow]:
        """Yield the rates of cumulative counters and the means of cumulative distributions."""
        for row, totals in self._totals.items():
            yield from _grown(row, sorted(totals, key=lambda total: (total.time_ns, total.total)))


@lru_cache(4_096)
def _clean(name: str) -> str:
    """Return a name scrubbed: there are few of them, and many points."""
    return scrub_name(name)


def _total(point: Any, *, counts: bool) -> _Total:
    value, seen = (float(point.sum), int(point.count)) if counts else (number_of(point), None)
    return _Total(point.time_unix_nano, point.start_time_unix_nano, value, seen)


def _grown(row: PointRow, totals: Iterable[_Total]) -> Iterator[PointRow]:
    """Yield what came between each total and the one before it."""
    before: _Total | None = None
    for now in totals:
        if before is not None and now.time_ns > before.time_ns:
            fell = now.total < before.total if now.seen is None else now.seen < (before.seen or 0)
            anew = fell or now.start_ns > before.start_ns > 0
            more = now if anew else _difference(now, before)
            yield from _interval(row, more, before.time_ns)
        before = now


def _difference(now: _Total, before: _Total) -> _Total:
    seen = None if now.seen is None else now.seen - (before.seen or 0)
    return now._replace(total=now.total - before.total, seen=seen)


def _interval(row: PointRow, more: _Total, since_ns: int) -> Iterator[PointRow]:
    """Yield the rate per second of a counter, or the mean of a distribution, over one interval; neither when empty."""
    if more.seen is None:
        if more.time_ns > since_ns > 0:
            rate = more.total * _NS / (more.time_ns - since_ns)
            yield row._replace(unit=f"{row.unit}/s", time_ns=more.time_ns, value=rate)
    elif more.seen:
        yield row._replace(time_ns=more.time_ns, value=more.total / more.seen)

"""Metrics in: gauges and sums become gauges; histograms and summaries are counted and left out."""

from collections.abc import Iterable

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric, NumberDataPoint

from telemetry.scrub import scrub_name
from telemetry.state.attributes import text_of
from telemetry.state.drops import Drops
from telemetry.state.gauges import Attributes, Gauges, Where
from telemetry.state.resource import Resource

NO_TIME = "metric points without time"
LARGEST = 1e100
"""Beyond every quantity that is measured, and so far below the largest double that sums and rates stay finite."""

_ATTRIBUTES_MAX = 8
_NO_VALUE = 1  # DataPointFlags.NO_RECORDED_VALUE
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_NS = 1_000_000_000


def take_metric(
    metric: Metric, resource: Resource, gauges: Gauges, drops: Drops, *, oldest_ns: int, newest_ns: int
) -> tuple[int, int, int]:
    """Take the points of a metric within [oldest_ns, newest_ns].

    Returns how many were accepted and rejected, and the newest time taken in nanoseconds (0 for none).
    """
    data = metric.WhichOneof("data")
    if data not in ("gauge", "sum"):
        points = len(getattr(metric, data).data_points) if data else 0
        drops.count("histograms", points)
        return points, 0, 0
    where = (resource.tenant, resource.environment, resource.service, resource.instance)
    name, unit = scrub_name(metric.name), scrub_name(metric.unit, 40)
    accepted = rejected = last_ns = 0
    for point in metric.gauge.data_points if data == "gauge" else metric.sum.data_points:
        at_ns = point.time_unix_nano
        if not at_ns:
            rejected += 1
            continue
        accepted += 1
        if not oldest_ns <= at_ns <= newest_ns:
            drops.count("points_late" if at_ns < oldest_ns else "points_future")
        elif not point.flags & _NO_VALUE:
            value = number_of(point)
            if is_measured(value):
                _take_point(metric, point, value, gauges, where, name, unit)
            else:
                drops.count("points_not_finite")
            last_ns = max(last_ns, at_ns)
    return accepted, rejected, last_ns


def number_of(point: NumberDataPoint) -> float:
    """Return the value of a point of a gauge or sum."""
    return float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double


def is_measured(value: float) -> bool:
    """Return whether somebody can have measured it: not NaN, nor infinite, nor as good as that."""
    return -LARGEST <= value <= LARGEST


def _take_point(
    metric: Metric, point: NumberDataPoint, value: float, gauges: Gauges, where: Where, name: str, unit: str
) -> None:
    attributes = attributes_of(point.attributes)
    at_ns = point.time_unix_nano
    is_delta = metric.HasField("sum") and metric.sum.aggregation_temporality == _DELTA
    if not metric.HasField("sum") or not (is_delta or metric.sum.is_monotonic):
        gauges.set(where, name, attributes, unit, at_ns, value)
    elif not is_delta:
        gauges.count(where, name, attributes, unit, at_ns, value)
    elif not metric.sum.is_monotonic:
        gauges.change(where, name, attributes, unit, at_ns, value)
    elif at_ns > point.start_time_unix_nano > 0:
        seconds = (at_ns - point.start_time_unix_nano) / _NS
        gauges.set(where, name, attributes, f"{unit}/s", at_ns, value / seconds)


def attributes_of(pairs: Iterable[KeyValue]) -> Attributes:
    """Return up to eight scalar attributes, scrubbed and sorted."""
    texts = ((scrub_name(pair.key), scrub_name(text_of(pair.value))) for pair in pairs)
    return tuple(sorted(pair for pair in texts if pair[1])[:_ATTRIBUTES_MAX])

"""Recorded metrics of every kind become points of gauges, in whatever order they come."""

from itertools import permutations

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from telemetry.stretches.points import Points

S = 10**9
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


def _sum(at_s: int, value: float, *, delta: bool = False, monotonic: bool = True, start_s: int = 0) -> Metric:
    metric = Metric(name="process.cpu.time", unit="s")
    metric.sum.aggregation_temporality = DELTA if delta else CUMULATIVE
    metric.sum.is_monotonic = monotonic
    metric.sum.data_points.add(time_unix_nano=at_s * S, start_time_unix_nano=start_s * S, as_double=value)
    return metric


def _histogram(at_s: int, count: int, total: float, *, delta: bool = False, exponential: bool = False) -> Metric:
    metric = Metric(name="http.server.request.duration", unit="s")
    data = metric.exponential_histogram if exponential else metric.histogram
    data.aggregation_temporality = DELTA if delta else CUMULATIVE
    data.data_points.add(time_unix_nano=at_s * S, count=count, sum=total)
    return metric


def _read(*metrics: Metric) -> list[tuple[int, float, str]]:
    points = Points()
    rows = [row for metric in metrics for row in points.take(metric, "cart", "cart-1")]
    return sorted((row.time_ns // S, row.value, row.unit) for row in [*rows, *points.rest()])


def test_a_cumulative_counter_is_its_rate_in_any_order_of_its_points() -> None:
    """Ten more in ten seconds is one a second, also where lines are shuffled or doubled."""
    metrics = [_sum(10, 5.0), _sum(20, 15.0), _sum(30, 45.0)]
    for order in permutations(metrics):
        assert _read(*order, order[0]) == [(20, 1.0, "s/s"), (30, 3.0, "s/s")]


@pytest.mark.parametrize("start_s", [0, 25], ids=["its total fell", "its start moved"])
def test_a_counter_that_began_anew_is_counted_from_zero(start_s: int) -> None:
    """After a restart the total is what came since."""
    first, second = _sum(20, 15.0, start_s=1), _sum(30, 5.0 if not start_s else 20.0, start_s=start_s or 1)
    assert _read(first, second) == [(30, 0.5 if not start_s else 2.0, "s/s")]


def test_deltas_and_gauges_stand_for_themselves() -> None:
    """A delta is divided by its interval; an up-down counter's total is a gauge; one without a start is left out."""
    assert _read(_sum(20, 30.0, delta=True, start_s=10)) == [(20, 3.0, "s/s")]
    assert _read(_sum(20, 30.0, delta=True)) == []
    assert _read(_sum(20, 30.0, monotonic=False)) == [(20, 30.0, "s")]


@pytest.mark.parametrize("exponential", [False, True], ids=["explicit", "exponential"])
def test_a_histogram_is_the_mean_of_what_it_saw_lately(exponential: bool) -> None:  # noqa: FBT001 - a parameter
    """Between two totals ten requests took five seconds; an interval without any says nothing."""
    totals = [_histogram(t, n, s, exponential=exponential) for t, n, s in ((10, 10, 1.0), (20, 20, 6.0), (30, 20, 6.0))]
    assert _read(*totals) == [(20, 0.5, "s")]
    assert _read(_histogram(10, 4, 2.0, delta=True, exponential=exponential)) == [(10, 0.5, "s")]


def test_a_summary_is_the_mean_of_what_it_saw_lately() -> None:
    """Count and sum of a summary are cumulative."""
    first, second = Metric(name="rpc"), Metric(name="rpc")
    first.summary.data_points.add(time_unix_nano=10 * S, count=10, sum=100.0)
    second.summary.data_points.add(time_unix_nano=20 * S, count=12, sum=110.0)
    assert _read(second, first) == [(20, 5.0, "")]


def test_points_of_other_attributes_are_other_series() -> None:
    """Connections in use and idle do not mix."""
    metric = Metric(name="db.client.connection.count")
    for state, value in (("used", 5), ("idle", 1)):
        point = metric.gauge.data_points.add(time_unix_nano=10 * S, as_int=value)
        point.attributes.add(key="state").value.string_value = state
    rows = list(Points().take(metric, "cart", ""))
    assert [(row.attributes, row.value) for row in rows] == [((("state", "used"),), 5.0), ((("state", "idle"),), 1.0)]


def test_a_point_without_value_or_time_is_left_out() -> None:
    """`NO_RECORDED_VALUE` marks a gap."""
    metric = Metric(name="cpu")
    metric.gauge.data_points.add(time_unix_nano=10 * S, as_double=1.0, flags=1)
    metric.gauge.data_points.add(as_double=1.0)
    assert list(Points().take(metric, "cart", "")) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_left_out(value: float) -> None:
    """One such total would make every rate after it one."""
    assert _read(_sum(10, 5.0), _sum(15, value), _sum(20, 15.0)) == [(20, 1.0, "s/s")]
    assert _read(_sum(20, value, monotonic=False)) == []
    assert _read(_histogram(10, 1, value, delta=True)) == []

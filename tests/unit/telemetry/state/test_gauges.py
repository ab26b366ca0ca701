"""Metrics: gauges, sums and pools under stable and older names."""

from types import SimpleNamespace

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from telemetry.state import GaugeSeries, Limits, TelemetryState

_NS = 1_000_000_000
_CUMULATIVE, _DELTA = 2, 1


class Sender:
    """Sends one point at a time for one service."""

    def __init__(self, state: TelemetryState, otlp: SimpleNamespace) -> None:
        self.state = state
        self.otlp = otlp

    def send(self, metric: Metric) -> None:
        """Export one metric."""
        request = ExportMetricsServiceRequest()
        request.resource_metrics.add(resource=self.otlp.resource()).scope_metrics.add(metrics=[metric])
        self.state.add_metrics("default", request)

    def gauge(self, name: str, value: float, at_s: float = 0, **attributes: str) -> None:
        """Export one point of a gauge; `at_s` counts from T0 and `__` stands for a dot."""
        metric = Metric(name=name, unit="1")
        point = metric.gauge.data_points.add(time_unix_nano=int((self.otlp.T0 + at_s) * _NS), as_double=value)
        point.attributes.extend(
            self.otlp.attributes({key.replace("__", "."): text for key, text in attributes.items()})
        )
        self.send(metric)

    def sum(self, value: int, at_s: float, *, temporality: int, monotonic: bool) -> None:
        """Export one point of the sum `s` that covers the last ten seconds."""
        metric = Metric(name="s", unit="By")
        metric.sum.aggregation_temporality = temporality
        metric.sum.is_monotonic = monotonic
        at_ns = int((self.otlp.T0 + at_s) * _NS)
        metric.sum.data_points.add(time_unix_nano=at_ns, start_time_unix_nano=at_ns - 10 * _NS, as_int=value)
        self.send(metric)

    def read(self) -> list[GaugeSeries]:
        """Return what the state tells of the service."""
        return list(self.state.gauges("default", "default", "quote"))


@pytest.fixture
def sender(state: TelemetryState, otlp: SimpleNamespace) -> Sender:
    """Return a sender into an empty state."""
    return Sender(state, otlp)


def _points(series: GaugeSeries, t0: int) -> list[tuple[int, float]]:
    return [(point.at_s - t0, point.value) for point in series.points]


def test_a_gauge_keeps_one_point_a_tick(sender: Sender, otlp: SimpleNamespace) -> None:
    """The last value of a tick stands; an older point is dropped and counted."""
    for at_s, value in ((0, 1.0), (4, 2.0), (10, 3.0), (6, 9.0)):
        sender.gauge("queue.depth", value, at_s, queue="orders")
    (series,) = sender.read()
    assert _points(series, otlp.T0) == [(0, 2.0), (10, 3.0)]
    assert (series.attributes, series.unit) == ({"queue": "orders"}, "1")
    assert sender.state.dropped == {"points_late": 1}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308])
def test_a_value_that_nobody_can_have_measured_is_dropped_and_counted(
    sender: Sender, otlp: SimpleNamespace, value: float
) -> None:
    """JSON knows no infinity: a signal with one in its evidence could not be read by anybody."""
    for at_s, sent in ((0, 1.0), (5, value), (10, 3.0)):
        sender.gauge("queue.depth", sent, at_s)
    (series,) = sender.read()
    assert _points(series, otlp.T0) == [(0, 1.0), (10, 3.0)]
    assert sender.state.dropped == {"points_not_finite": 1}


@pytest.mark.parametrize(
    ("temporality", "monotonic", "values", "points", "unit"),
    [
        (_CUMULATIVE, False, (5, 3, 4), [(0, 5.0), (10, 3.0), (20, 4.0)], "By"),
        (_CUMULATIVE, True, (100, 150, 20), [(10, 5.0), (20, 2.0)], "By/s"),
        (_DELTA, False, (5, -2, 1), [(0, 5.0), (10, 3.0), (20, 4.0)], "By"),
        (_DELTA, True, (100, 50, 20), [(0, 10.0), (10, 5.0), (20, 2.0)], "By/s"),
    ],
    ids=["up-down", "counter-with-restart", "up-down-deltas", "counter-deltas"],
)
def test_sums_become_levels_or_rates(
    sender: Sender,
    otlp: SimpleNamespace,
    *,
    temporality: int,
    monotonic: bool,
    values: tuple[int, ...],
    points: list[tuple[int, float]],
    unit: str,
) -> None:
    """An up-down counter is a level, a counter is a rate per second, in both temporalities."""
    for number, value in enumerate(values):
        sender.sum(value, number * 10, temporality=temporality, monotonic=monotonic)
    (series,) = sender.read()
    assert _points(series, otlp.T0) == points
    assert series.unit == unit


@pytest.mark.parametrize(
    ("usage", "state_name", "pool_name", "maximum", "pending"),
    [
        (
            "db.client.connection.count",
            "db__client__connection__state",
            "db__client__connection__pool__name",
            "db.client.connection.max",
            "db.client.connection.pending_requests",
        ),
        (
            "db.client.connections.usage",
            "state",
            "pool__name",
            "db.client.connections.max",
            "db.client.connections.pending_requests",
        ),
    ],
    ids=["stable", "older"],
)
def test_pools_are_put_together_from_their_metrics(
    sender: Sender, otlp: SimpleNamespace, usage: str, state_name: str, pool_name: str, maximum: str, pending: str
) -> None:
    """A value that is not repeated is carried on."""
    pool = {pool_name: "main"}
    sender.gauge(usage, 1, 0, **pool, **{state_name: "used"})
    sender.gauge(usage, 1, 0, **pool, **{state_name: "idle"})
    sender.gauge(maximum, 2, 0, **pool)
    sender.gauge(usage, 2, 10, **pool, **{state_name: "used"})
    sender.gauge(pending, 7, 10, **pool)
    (series,) = sender.state.pools("default", "default")
    assert (series.service, series.pool_name) == ("quote", "main")
    first, second = series.points
    assert (first.at_s - otlp.T0, first.used, first.idle, first.pending, first.maximum) == (0, 1, 1, None, 2)
    assert (second.at_s - otlp.T0, second.used, second.idle, second.pending, second.maximum) == (10, 2, 1, 7, 2)


def test_a_gauge_knows_its_limit(sender: Sender) -> None:
    """The limit is another metric of the same resource, or one for a utilization."""
    sender.gauge("container.memory.usage", 50)
    sender.gauge("container.memory.limit", 100)
    sender.gauge("process.cpu.utilization", 0.3)
    sender.gauge("queue.depth", 4)
    limits = {series.name: series.limit for series in sender.read()}
    assert limits == {
        "container.memory.usage": 100,
        "container.memory.limit": None,
        "process.cpu.utilization": 1.0,
        "queue.depth": None,
    }


def test_histograms_are_left_out_and_counted_and_missing_times_rejected(
    state: TelemetryState, otlp: SimpleNamespace
) -> None:
    """What is not understood is accepted and shown as dropped; what cannot be placed in time is refused."""
    histogram, gauge = Metric(name="h"), Metric(name="g")
    histogram.histogram.data_points.add(time_unix_nano=1)
    gauge.gauge.data_points.add(as_double=1)
    gauge.gauge.data_points.add(time_unix_nano=otlp.T0 * _NS, as_double=1, flags=1)
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add(metrics=[histogram, gauge, Metric(name="empty")])
    taken = state.add_metrics("default", request)
    assert (taken.accepted, taken.rejected, taken.reason) == (2, 1, "metric points without time")
    assert state.dropped == {"histograms": 1}
    assert state.gauges("default", "default", "unknown_service") == []


def test_metrics_move_event_time_when_no_span_ends(sender: Sender, otlp: SimpleNamespace) -> None:
    """A service that hangs still reports its pool: detection goes on."""
    sender.gauge("queue.depth", 1, 60)
    assert sender.state.watermark_s == otlp.T0 + 55


def test_a_service_with_ever_new_attributes_leaves_room_for_others(otlp: SimpleNamespace) -> None:
    """The pool of another service is still seen; what the first lets go of is room for it again."""
    state = TelemetryState(Limits(max_gauges=4, max_gauges_per_service=2, retention_s=600))
    request = ExportMetricsServiceRequest()
    for service, queues in (("shop", "abcd"), ("quote", "e")):
        metric = Metric(name="queue.depth")
        for queue in queues:
            point = metric.gauge.data_points.add(time_unix_nano=otlp.T0 * _NS, as_double=1)
            point.attributes.extend(otlp.attributes({"queue": queue}))
        request.resource_metrics.add(resource=otlp.resource(service)).scope_metrics.add(metrics=[metric])
    state.add_metrics("default", request)
    assert [len(state.gauges("default", "default", service)) for service in ("shop", "quote")] == [2, 1]
    assert state.dropped == {"gauges": 2}
    sender = Sender(state, otlp)
    sender.gauge("queue.depth", 1, 3_000, queue="f")
    sender.gauge("queue.depth", 1, 3_060, queue="f")
    sender.gauge("queue.depth", 1, 3_065, queue="g")
    assert {series.attributes["queue"] for series in state.gauges("default", "default")} == {"f", "g"}


def test_gauges_are_bounded_in_number_and_time(otlp: SimpleNamespace) -> None:
    """Attributes without end make no series without end, and old points go."""
    state = TelemetryState(Limits(max_gauges=2, retention_s=600))
    sender = Sender(state, otlp)
    for number in range(5):
        sender.gauge("queue.depth", 1, number, queue=str(number))
    assert len(sender.read()) == 2
    assert state.dropped == {"gauges": 3}
    for at_s in range(0, 4_000, 5):
        sender.gauge("queue.depth", 1, at_s, queue="0")
    (kept,) = [series for series in sender.read() if series.attributes == {"queue": "0"}]
    assert len(kept.points) <= 2 * 600 / 5 + 1
    assert kept.points[-1].at_s == otlp.T0 + 3_995

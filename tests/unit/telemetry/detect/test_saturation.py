"""D5: pools and memory at their limit."""

import pytest

from telemetry.detect import Closing, DetectConfig
from telemetry.detect.saturation import SaturationMonitor, judge, memory_loads, pool_loads, worst_verdict
from telemetry.model import AnomalyState, Detector, SeriesKey, Severity
from telemetry.state import GaugePoint, GaugeSeries, PoolPoint, PoolSeries

CONFIG = DetectConfig()
KEY = SeriesKey(service="quote", operation="GET /quote")
CLOSING = Closing(CONFIG.close_after_s)


def _pool(points: list[tuple[int, float, float]], maximum: float | None = 10, instance: str = "1") -> PoolSeries:
    made = tuple(PoolPoint(at_s, used, None, pending, maximum) for at_s, used, pending in points)
    return PoolSeries("quote", "main", made, instance)


def _watch(pool: PoolSeries, until_s: int) -> SaturationMonitor:
    monitor = SaturationMonitor("pool main", CONFIG)
    for now_s in range(0, until_s + 1, 5):
        monitor.step(now_s, judge(pool_loads(pool, now_s, CONFIG), now_s, CONFIG), CLOSING)
    return monitor


@pytest.mark.parametrize(("used", "pending"), [(9, 0), (10, 0), (3, 1)])
def test_pool_that_is_full_for_30_seconds_is_confirmed(used: float, pending: float):
    """Nine of ten connections in use, or anybody waiting; the onset is the first full point."""
    pool = _pool([(at, 1, 0) if at < 100 else (at, used, pending) for at in range(0, 200, 5)])
    assert _watch(pool, 125).life.state is AnomalyState.SUSPECT
    found = _watch(pool, 140).finding(KEY)
    assert found is not None
    assert (found.detector, found.state, found.onset_s) == (Detector.SATURATION, AnomalyState.CONFIRMED, 100)
    assert found.severity is (Severity.HIGH if pending else Severity.MEDIUM)


@pytest.mark.parametrize("used", [0, 8])
def test_pool_with_room_is_never_suspect(used: float):
    """Eight of ten is no saturation, nor is a pool of unknown size in use."""
    assert _watch(_pool([(at, used, 0) for at in range(0, 300, 5)]), 300).life.state is None
    assert _watch(_pool([(at, 99, 0) for at in range(0, 300, 5)], maximum=None), 300).life.state is None


def test_pool_that_is_full_now_and_then_is_not_confirmed():
    """Bursts of 20 s do not add up."""
    points = [(at, 10 if at % 30 < 20 else 1, 0) for at in range(0, 600, 5)]
    assert not _watch(_pool([(at, float(used), 0) for at, used, _ in points]), 600).life.is_open


def test_instance_that_stopped_reporting_says_nothing():
    """The last word of an instance that is gone, full, does not outlive it; no data heals nothing."""
    pool = _pool([(at, 10, 0) for at in range(0, 100, 5)])
    monitor = _watch(pool, 130)
    assert monitor.life.is_open
    assert monitor.verdict is None
    assert _watch(pool, 2000).life.is_open


def test_newer_instance_with_room_closes_it():
    """After a restart only the instance that reports counts."""
    old = _pool([(at, 10, 0) for at in range(0, 100, 5)])
    new = _pool([(at, 1, 0) for at in range(100, 500, 5)], instance="2")
    monitor = SaturationMonitor("pool main", CONFIG)
    for now_s in range(0, 500, 5):
        verdicts = [judge(pool_loads(pool, now_s, CONFIG), now_s, CONFIG) for pool in (old, new)]
        monitor.step(now_s, worst_verdict(verdicts), CLOSING)
    assert monitor.life.state is AnomalyState.CLOSED


def test_memory_at_its_limit_is_confirmed():
    """Ninety per cent of a known limit for half a minute."""
    points = tuple(GaugePoint(at, 95.0) for at in range(0, 100, 5))
    limited = GaugeSeries("quote", "container.memory.usage", {}, "By", points, limit=100.0)
    assert worst_verdict([judge(memory_loads(limited, 90, CONFIG), 90, CONFIG)]).lasted_s >= 30  # type: ignore[union-attr]
    unknown = GaugeSeries("quote", "container.memory.usage", {}, "By", points)
    assert memory_loads(unknown, 90, CONFIG) == []

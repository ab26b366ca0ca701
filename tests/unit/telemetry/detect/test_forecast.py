"""D5, predictive: leaks are announced before the limit, in event time; what only looks like one is not."""

from collections.abc import Callable
from math import exp
from random import Random

import pytest

from telemetry.detect import Closing, DetectConfig
from telemetry.detect.gauge_watch import GaugeWatch
from telemetry.model import AnomalyState, Detector, SeriesKey
from telemetry.state import GaugePoint, GaugeSeries

CONFIG = DetectConfig()
KEY = SeriesKey(service="quote", operation="GET /quote")
CLOSING = Closing(CONFIG.close_after_s)
PLANNED = Closing(CONFIG.close_after_s, maintenance=True)
MIN_S = 60
LEAK_S = 40 * MIN_S
FULL_S = 20 * MIN_S

Shape = Callable[[int], float]


def _leak(at_s: int) -> float:
    """Return the level of a resource that is at its limit 20 min after it began to leak."""
    return 0.4 if at_s < LEAK_S else min(1.0, 0.4 + 0.6 * (at_s - LEAK_S) / FULL_S)


def _noisy(seed: int) -> Shape:
    random = Random(seed)
    return lambda at_s: _leak(at_s) + random.gauss(0, 0.02)


def _sawtooth(at_s: int) -> float:
    """Return a heap that is collected every 45 s."""
    return _leak(at_s) - 0.12 + 0.12 * (at_s % 45) / 45


def _announced(shape: Shape, until_s: int, every_s: int = 5, closing: Closing = CLOSING, **other: object) -> int | None:
    """Return when a forecast for the gauge was confirmed, None if never."""
    watch = GaugeWatch(CONFIG)
    points: list[GaugePoint] = []
    for now_s in range(5, until_s, 5):
        if (now_s - 5) % every_s == 0:
            points.append(GaugePoint(now_s - 5, 1000 * shape(now_s - 5)))
        if watch.is_due(now_s):
            watch.advance(now_s, [_gauge(points[-800:], **other)], lambda _: closing)
            found = [f for f in watch.findings(lambda *_: KEY) if f.state is AnomalyState.CONFIRMED]
            if found:
                assert (found[0].detector, found[0].key) == (Detector.SATURATION, KEY)
                return now_s
    return None


def _gauge(points: list[GaugePoint], name: str = "jvm.memory.used", state: str = "used") -> GaugeSeries:
    return GaugeSeries("quote", name, {"state": state}, "By", tuple(points), limit=1000.0)


@pytest.mark.parametrize("every_s", [5, 30, 60])
@pytest.mark.parametrize("shape", [_leak, _noisy(1), _noisy(2), _noisy(3), _sawtooth])
def test_leak_of_20_minutes_is_announced_10_minutes_before(shape: Shape, every_s: int):
    """Also with noise, with a heap that is collected, and when the gauge is exported once a minute only."""
    announced_s = _announced(shape, LEAK_S + FULL_S, every_s)
    assert announced_s is not None
    assert LEAK_S < announced_s <= LEAK_S + FULL_S - 10 * MIN_S


def test_leak_of_a_new_process_is_announced_10_minutes_before():
    """Without any history."""
    announced_s = _announced(lambda at_s: 0.3 + 0.7 * at_s / FULL_S, FULL_S)
    assert announced_s is not None
    assert announced_s <= FULL_S - 10 * MIN_S


@pytest.mark.parametrize("seed", range(5))
def test_stable_noisy_gauge_is_silent(seed: int):
    """Three hours around 60 % of the limit."""
    random = Random(seed)
    assert _announced(lambda _: 0.6 + random.gauss(0, 0.05), 180 * MIN_S) is None


@pytest.mark.parametrize("minutes", [3, 5, 10, 15, 30, 60])
def test_warming_cache_that_levels_off_is_silent(minutes: int):
    """It fills to 70 % of the limit with this time constant."""
    random = Random(minutes)

    def level(at_s: int) -> float:
        return 0.7 - 0.6 * exp(-at_s / MIN_S / minutes) + random.gauss(0, 0.004)

    assert _announced(level, 180 * MIN_S) is None


@pytest.mark.parametrize("period_min", [2, 12, 25])
def test_long_sawtooth_is_silent_once_it_has_come_back(period_min: int):
    """A heap that rises from 30 % to 60 % and falls back, first seen shortly before it does."""
    period_s = period_min * MIN_S

    def level(at_s: int) -> float:
        return 0.3 + 0.3 * ((at_s + 0.7 * period_s) % period_s) / period_s

    assert _announced(level, 120 * MIN_S) is None


def test_what_is_used_by_load_or_unused_is_not_forecast():
    """A busy CPU is no leak, and more idle connections are no trouble."""
    assert _announced(_leak, LEAK_S + FULL_S, name="container.cpu.utilization") is None
    assert _announced(_leak, LEAK_S + FULL_S, state="idle") is None


def test_maintenance_announces_nothing():
    """A rise during planned work is suspect only."""
    assert _announced(_leak, LEAK_S + FULL_S, closing=PLANNED) is None


def test_gauge_far_from_its_usual_is_suspect_only():
    """Three points at four times the usual: a suspicion that ends with them and opens nothing."""
    watch = GaugeWatch(CONFIG)
    points = [GaugePoint(at, 100.0 + at % 3) for at in range(0, 600, 5)]
    points += [GaugePoint(at, 400.0) for at in range(600, 620, 5)]
    gauge = GaugeSeries("quote", "queue.length", {}, "", tuple(points))
    watch.advance(630, [gauge], lambda _: CLOSING)
    (found,) = watch.findings(lambda *_: KEY)
    assert (found.state, found.bad_now) == (AnomalyState.SUSPECT, False)
    calm = (*points, *(GaugePoint(at, 101.0) for at in range(620, 660, 5)))
    watch.advance(660, [GaugeSeries("quote", "queue.length", {}, "", calm)], lambda _: CLOSING)
    assert list(watch.findings(lambda *_: KEY)) == []

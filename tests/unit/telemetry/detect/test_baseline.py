"""What is taken for normal."""

from math import isclose
from random import Random

from telemetry.detect import DetectConfig
from telemetry.detect.baseline import Baseline, RatioHistory
from telemetry.detect.memory import RatioMemory
from telemetry.state import Cell

CONFIG = DetectConfig()


def _cell(start_s: int, requests: int, ms: float) -> Cell:
    cell = Cell(start_s, requests)
    cell.sketch.add(ms, requests)
    return cell


def test_new_service_is_taken_for_five_per_cent_bad():
    """The prior is cautious, and 200 clean requests bring it below one per cent."""
    history = RatioHistory(0.001, CONFIG)
    assert history.p0 == 0.05
    history.learn(0, 200, 0)
    assert history.p0 < 0.01
    history.learn(5, 100_000, 0)
    assert history.p0 == 0.001


def test_normal_ratio_is_the_worst_of_few_windows():
    """One minute with three per cent of errors is normal from then on."""
    history = RatioHistory(0.001, CONFIG)
    for minute in range(20):
        for tick in range(0, 60, 5):
            history.learn(60 * minute + tick, 100, 3 if minute == 7 else 0)
    assert history.p0 == 0.03


def test_window_is_widened_until_it_holds_200_requests():
    """A single error among the 12 requests of a quiet minute is not 8 per cent."""
    history = RatioHistory(0.001, CONFIG)
    for tick in range(0, 7200, 5):
        history.learn(tick, 1, 1 if tick == 3000 else 0)
    assert 0.004 < history.p0 < 0.006


def test_old_windows_are_forgotten():
    """Seven days later a bad minute no longer counts."""
    history = RatioHistory(0.001, CONFIG)
    history.learn(0, 1_000, 100)
    history.learn(60, 10_000_000, 0)
    for minute in range(2, CONFIG.ratio_windows_kept + 3):
        history.learn(60 * minute, 1_000, 0)
    assert history.p0 == 0.001


def test_latency_is_not_judged_before_enough_was_seen():
    """There are no limits yet after 59 requests, and the first seconds do not count."""
    baseline = Baseline(CONFIG)
    baseline.learn(_cell(0, 500, 900.0))
    assert baseline.limits is None
    baseline.learn(_cell(10, 59, 20.0))
    assert baseline.limits is None
    baseline.learn(_cell(15, 1, 20.0))
    assert baseline.limits is not None
    assert baseline.limits.p95_ms < 21


def test_slow_is_at_least_50_ms_above_the_normal_p95():
    """A service that always answers in 20 ms is not slow at 65 ms; one that takes 400 ms is not at 590 ms."""
    for usual, limit in ((20.0, 70.0), (400.0, 600.0)):
        baseline = Baseline(CONFIG)
        for tick in range(0, 100, 5):
            baseline.learn(_cell(tick, 100, usual))
        assert baseline.limits is not None
        assert abs(baseline.limits.shifted_ms - limit) <= 0.01 * limit
        assert baseline.limits.slow_ms == baseline.limits.shifted_ms


def test_latency_of_the_day_before_yesterday_is_forgotten():
    """Two generations of a day are kept."""
    baseline = Baseline(CONFIG)
    for start_s, ms in ((0, 500.0), (20, 500.0), (90_000, 20.0), (180_000, 20.0), (180_100, 20.0)):
        baseline.learn(_cell(start_s, 1_000, ms))
    assert baseline.limits is not None
    assert baseline.limits.p95_ms < 21


def _history(ratios: list[float]) -> RatioHistory:
    """Return what is learned from a day of minutes with 200 requests, whose error ratios come in turns."""
    random, history = Random(3), RatioHistory(CONFIG.error_ratio_floor, CONFIG)
    for minute in range(1440):
        ratio = ratios[minute // 60 % len(ratios)]
        history.learn(60 * minute, 200, sum(random.random() < ratio for _ in range(200)))
        for tick in range(1, 12):
            history.learn(60 * minute + CONFIG.tick_s * tick, 0, 0)
    return history


def test_sampling_noise_of_windows_is_not_taken_for_a_normal_error_ratio():
    """Of a constant 1 % the windows show up to 3 %, but the service never fails so often."""
    history = _history([0.01])
    assert history.p0 > 0.025
    assert history.real_p0 < 0.02


def test_error_ratio_that_really_wanders_is_normal():
    """Hours with 5 % count in full."""
    assert 0.05 < _history([0.01, 0.05]).real_p0 <= _history([0.01, 0.05]).p0


def test_real_ratio_is_the_same_after_a_restart():
    """Windows are kept as 32-bit floats."""
    before, after = _history([0.01, 0.02]), RatioHistory(CONFIG.error_ratio_floor, CONFIG)
    after.load(before.dump(10_000))
    assert isclose(after.real_p0, before.real_p0, rel_tol=1e-5)
    older = RatioHistory(CONFIG.error_ratio_floor, CONFIG)
    older.load(RatioMemory(288_000, 4_300, before.dump(10_000).windows))
    assert isclose(older.real_p0, before.real_p0, rel_tol=0.01)

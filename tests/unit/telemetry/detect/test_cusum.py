"""The formulas of the test itself."""

from math import isclose, log

import pytest

from telemetry.detect import DetectConfig, cusum

CONFIG = DetectConfig()


@pytest.mark.parametrize(("p0", "p1"), [(0.001, 0.051), (0.01, 0.06), (0.1, 0.5 / 1.4), (0.8, 0.95)])
def test_alternative_is_five_points_or_five_times_the_odds(p0: float, p1: float):
    """The alternative follows the formula, capped at 95 %."""
    assert isclose(cusum.alternative(p0, CONFIG), p1)


def test_alternative_stays_above_a_baseline_that_is_over_the_cap():
    """Even a series that always fails has an alternative above its normal ratio."""
    assert cusum.alternative(0.96, CONFIG) > 0.96


def test_threshold_is_about_nineteen_at_twenty_requests_a_second():
    """The figure of the design, and one series of ten must be ten times as sure."""
    alone = cusum.threshold(20, 1, CONFIG)
    assert 19 < alone < 20
    assert isclose(cusum.threshold(20, 10, CONFIG) - alone, log(10))


def test_score_never_falls_below_zero_nor_rises_above_the_cap():
    """Good news is not saved up, and bad news ends in bounded time."""
    assert cusum.advance(1.0, 1000, 0, 0.001, 10, CONFIG) == 0
    assert cusum.advance(1.0, 1000, 1000, 0.001, 10, CONFIG) == 12

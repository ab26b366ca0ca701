"""The formulas of the test itself."""

from math import ceil, exp, isclose, log
from random import Random

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


@pytest.mark.parametrize("p0", [0.01, 0.03, 0.1])
def test_false_alarms_are_no_more_frequent_than_the_threshold_promises(p0: float):
    """Normal events alone, in 400 runs until an alarm: on average at least e^h / D, and less than twice that."""
    random, limit = Random(1), 5.0
    weight, promised = cusum.weights(p0, CONFIG), exp(5.0) / cusum.divergence(p0, CONFIG)
    events = 0
    for _ in range(400):
        score = 0.0
        while score < limit:
            gap = ceil(log(1 - random.random()) / log(1 - p0))
            score = max(0.0, score + (gap - 1) * weight.good) + weight.bad
            events += gap
    assert promised <= events / 400 < 2 * promised


def test_threshold_of_ratios_counts_what_a_normal_event_costs():
    """It is lower than Lorden's by the logarithm of the divergence."""
    lower = cusum.threshold(2, 1, CONFIG) - cusum.ratio_threshold(2, 0.01, 1, CONFIG)
    assert isclose(lower, -log(0.01 * log(0.01 / 0.06) + 0.99 * log(0.99 / 0.94)))


def test_score_never_falls_below_zero_nor_rises_above_the_cap():
    """Good news is not saved up, and bad news ends in bounded time."""
    assert cusum.advance(1.0, 1000, 0, 0.001, 10, CONFIG) == 0
    assert cusum.advance(1.0, 1000, 1000, 0.001, 10, CONFIG) == 12

"""Robust statistics of gauges."""

from math import isclose

from telemetry.detect.trend import bins, outlier_score, slope, trend


def test_slope_is_the_median_of_all_pairs():
    """One wild point among ten moves nothing."""
    points = [(float(at), 2.0 * at) for at in range(10)]
    assert slope(points) == 2.0
    assert isclose(slope([*points[:4], (4.0, 900.0), *points[5:]]), 2.0)
    assert slope(points[:1]) == 0.0


def test_trend_is_the_standard_score_of_kendall():
    """Ten rising values: S = 45, var = 125; falling ones have the opposite sign, and a constant none."""
    assert isclose(trend(range(10)), 44 / 125**0.5)
    assert isclose(trend(range(10, 0, -1)), -44 / 125**0.5)
    assert trend([1.0] * 10) == 0.0


def test_bins_keep_floor_median_and_peak():
    """Points before the start are left out."""
    (first, second) = bins([(0, 9.0), (10, 1.0), (12, 5.0), (14, 3.0), (22, 7.0)], 10, 10)
    assert (first.at_s, first.low, first.mid, first.high) == (12, 1.0, 3.0, 5.0)
    assert (second.at_s, second.mid) == (22, 7.0)


def test_outlier_score_has_a_floor_under_the_spread():
    """A gauge that never moved is not far off at one per cent more."""
    assert outlier_score(101.0, [100.0] * 40, 0.05) < 1
    assert outlier_score(200.0, [100.0] * 40, 0.05) > 6

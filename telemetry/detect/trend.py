"""Robust statistics of a gauge over time: slope, monotone trend, outliers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import median

_MAD_TO_SIGMA = 0.6745


@dataclass(frozen=True, slots=True)
class Bin:
    """A gauge over a short stretch, by the middle of its points: its floor, median and peak."""

    at_s: float
    low: float
    mid: float
    high: float


def bins(points: Sequence[tuple[int, float]], start_s: int, length_s: float) -> list[Bin]:
    """Return (time, value) points, oldest first, in bins of `length_s` from `start_s` on; empty ones are left out."""
    grouped: dict[int, list[tuple[int, float]]] = {}
    for at_s, value in points:
        if at_s >= start_s:
            grouped.setdefault(int((at_s - start_s) // length_s), []).append((at_s, value))
    return [_bin(grouped[number]) for number in sorted(grouped)]


def _bin(points: Sequence[tuple[int, float]]) -> Bin:
    values = [value for _, value in points]
    return Bin((points[0][0] + points[-1][0]) / 2, min(values), median(values), max(values))


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the median of the slopes of all pairs of (time, value), per second; 0 with fewer than two points.

    Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968).
    """
    pairs = ((later[1] - earlier[1], later[0] - earlier[0]) for earlier, later in combinations(points, 2))
    slopes = [rise / run for rise, run in pairs if run > 0]
    return median(slopes) if slopes else 0.0


def trend(values: Sequence[float]) -> float:
    """Return the standard score of a monotone trend, positive when rising (Mann and Kendall's test).

    Kendall, "Rank Correlation Methods" (1975): S = Σ sign(x_j - x_i), var S = n(n - 1)(2n + 5)/18 without ties,
    which makes the score of tied values cautious, and a correction by 1 for continuity.
    """
    n = len(values)
    if n < 2:  # noqa: PLR2004 - a trend needs two
        return 0.0
    rises = sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))
    if rises == 0:
        return 0.0
    return (rises - (1 if rises > 0 else -1)) / sqrt(n * (n - 1) * (2 * n + 5) / 18)


def outlier_score(value: float, history: Sequence[float], floor: float) -> float:
    """Return the modified z-score 0.6745·(x - median)/MAD, with MAD at least `floor` × |median|.

    Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993). It is 0 for a gauge that is all zero, of which
    nothing can be said.
    """
    return outlier_scores((value,), history, floor)[0]


def outlier_scores(values: Sequence[float], history: Sequence[float], floor: float) -> list[float]:
    """Return the `outlier_score` of several values against one history."""
    centre = median(history)
    spread = max(median(abs(past - centre) for past in history), floor * abs(centre))
    return [_MAD_TO_SIGMA * (value - centre) / spread if spread else 0.0 for value in values]

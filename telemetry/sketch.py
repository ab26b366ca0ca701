"""Mergeable quantile sketch over logarithmic buckets, after DDSketch (Masson, Rim and Lee, VLDB 2019)."""

import math
from collections.abc import Iterable
from typing import Self

GAMMA = 1.02
"""Ratio of neighbouring bucket bounds: a quantile is at most (1.02 - 1)/(1.02 + 1), or 0.99 %, off."""

PER_LOG = 1.0 / math.log(GAMMA)
BIAS = 400.0  # keeps indexes positive from 1 µs up, so that int() rounds down
_SMALLEST_MS = 0.001
_LARGEST_MS = 1e9
_MIDDLE = 2.0 * GAMMA / (GAMMA + 1.0)


def bucket_of(ms: float) -> int:
    """Return the bucket of a duration in milliseconds; values outside 1 µs … 11 days go to the end buckets."""
    return int(math.log(min(max(ms, _SMALLEST_MS), _LARGEST_MS)) * PER_LOG + BIAS)


def value_of(bucket: int) -> float:
    """Return the duration in milliseconds that stands for a bucket (relative error ≤ 1 %)."""
    return _MIDDLE * GAMMA ** (bucket - BIAS)


class Sketch:
    """Durations in milliseconds, counted in log buckets of ratio 1.02; merging loses nothing.

    `count` is how many values were added. At most about 1,400 buckets exist, whatever is added.
    """

    __slots__ = ("buckets", "count")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0

    @classmethod
    def merged(cls, sketches: Iterable["Sketch"]) -> Self:
        """Return a new sketch that holds everything the given ones hold."""
        result = cls()
        for sketch in sketches:
            result.merge(sketch)
        return result

    @classmethod
    def of(cls, buckets: dict[int, int]) -> Self:
        """Return the sketch with some counts by bucket, which become its own."""
        result = cls()
        result.buckets, result.count = buckets, sum(buckets.values())
        return result

    def add(self, ms: float, n: int = 1) -> None:
        """Count `n` values of `ms` milliseconds."""
        bucket = bucket_of(ms)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + n
        self.count += n

    def merge(self, other: "Sketch") -> None:
        """Add everything that `other` holds."""
        mine = self.buckets
        for bucket, n in other.buckets.items():
            mine[bucket] = mine.get(bucket, 0) + n
        self.count += other.count

    def quantile(self, q: float) -> float | None:
        """Return the lower `q`-quantile (0 ≤ q ≤ 1) in milliseconds within 1 %, or None when empty."""
        if not self.count:
            return None
        rank = q * (self.count - 1)
        seen = 0
        bucket = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen > rank:
                break
        return value_of(bucket)

    def count_above(self, ms: float) -> int:
        """Return how many values are above `ms`, not counting those within 2 % of it (its own bucket)."""
        limit = bucket_of(ms)
        return sum(n for bucket, n in self.buckets.items() if bucket > limit)

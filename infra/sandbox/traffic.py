"""What the customers of the sandbox ask for, and how they were served."""

import math
import random
from collections import Counter, deque
from dataclasses import dataclass
from urllib.parse import urlencode

WINDOW_S = 10.0
_PREFIXES = ("MUG", "TEE", "CAP", "BAG")
_DESIGNS = 15
_REGIONS = ("north", "south", "east", "west")
_COUPONS = ("", "", "", "WELCOME10", "SPRING15", "STAFF30")
_SMALL_QUANTITIES = (1, 1, 1, 2, 3, 4, 6)
_BULK_QUANTITIES = (10, 12, 20, 25, 50, 100)
BULK_RATIO = 0.4
_FIRST_ERROR_STATUS = 400


def quote_path(rng: random.Random) -> str:
    """Returns the path and query of one customer's request."""
    quantities = _BULK_QUANTITIES if rng.random() < BULK_RATIO else _SMALL_QUANTITIES
    query = urlencode(
        {
            "quantity": rng.choice(quantities),
            "coupon": rng.choice(_COUPONS),
            "region": rng.choice(_REGIONS),
        }
    )
    return f"/quote/{rng.choice(_PREFIXES)}-{rng.randint(1, _DESIGNS):03d}?{query}"


@dataclass(frozen=True)
class Answer:
    """One request as the customer saw it; `status` is 0 where no answer came."""

    at_s: float
    duration_ms: float
    status: int

    @property
    def failed(self) -> bool:
        """Returns whether the customer got no quote."""
        return self.status == 0 or self.status >= _FIRST_ERROR_STATUS


@dataclass(frozen=True)
class Summary:
    """Answers counted; durations in milliseconds, 0 where there were none."""

    requests: int
    failed: int
    error_ratio: float
    p50_ms: float
    p95_ms: float
    statuses: dict[str, int]


class Statistics:
    """Answers of the whole run by count, and of the last 10 s in full."""

    def __init__(self) -> None:
        self._recent: deque[Answer] = deque()
        self._totals: Counter[int] = Counter()
        self.requests = 0
        self.failed = 0

    def add(self, answer: Answer) -> None:
        """Counts one answer."""
        self._recent.append(answer)
        self._totals[answer.status] += 1
        self.requests += 1
        self.failed += answer.failed
        self._trim(answer.at_s)

    def recent(self, now_s: float) -> Summary:
        """Returns the summary of the last 10 s."""
        self._trim(now_s)
        return summarize(list(self._recent))

    def statuses(self) -> dict[str, int]:
        """Returns how often each status was answered in the whole run."""
        return {str(status): count for status, count in sorted(self._totals.items())}

    def _trim(self, now_s: float) -> None:
        while self._recent and self._recent[0].at_s < now_s - WINDOW_S:
            self._recent.popleft()


def summarize(answers: list[Answer]) -> Summary:
    """Returns counts and nearest-rank percentiles of the answers."""
    durations = sorted(answer.duration_ms for answer in answers)
    failed = sum(answer.failed for answer in answers)
    count = len(answers)
    return Summary(
        requests=count,
        failed=failed,
        error_ratio=failed / count if count else 0.0,
        p50_ms=_nearest_rank(durations, 0.5),
        p95_ms=_nearest_rank(durations, 0.95),
        statuses={str(key): value for key, value in sorted(Counter(a.status for a in answers).items())},
    )


def _nearest_rank(ordered: list[float], quantile: float) -> float:
    return ordered[math.ceil(quantile * len(ordered)) - 1] if ordered else 0.0

"""When the next request of an open-loop load is due."""

import random
from enum import StrEnum

MAX_LAG_S = 0.1


class Arrivals(StrEnum):
    """How requests are spread over time."""

    PACED = "paced"
    POISSON = "poisson"


class Pacer:
    """Due times of requests at a rate that may change at any time.

    Open loop: due times do not depend on answers, so a slow service does not slow its customers down.
    """

    def __init__(self, rate_rps: float, arrivals: Arrivals, rng: random.Random, now_s: float) -> None:
        self.rate_rps = rate_rps
        self._arrivals = arrivals
        self._rng = rng
        self._last_s = now_s
        self._unit_gap = self._draw()

    def due_s(self) -> float:
        """Returns the time of the next request, on the clock of `now_s`."""
        return self._last_s + self._unit_gap / self.rate_rps

    def advance(self, now_s: float) -> None:
        """Marks the request that was due as sent; a lag of over 0.1 s is forgiven instead of made up for."""
        self._last_s = max(self.due_s(), now_s - MAX_LAG_S)
        self._unit_gap = self._draw()

    def _draw(self) -> float:
        match self._arrivals:
            case Arrivals.PACED:
                return self._rng.uniform(0.5, 1.5)
            case Arrivals.POISSON:
                return self._rng.expovariate(1.0)

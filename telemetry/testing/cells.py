"""Cells of synthetic traffic, for tests of detectors alone."""

from random import Random

from telemetry.state import TICK_S, Cell


class CellMaker:
    """Draws cells: Poisson arrivals, log-normal durations with a median of `median_ms`; seeded."""

    def __init__(self, seed: int, rate_rps: float, median_ms: float = 20.0) -> None:
        self._random = Random(seed)
        self._rate_rps = rate_rps
        self._median_ms = median_ms

    def cell(self, start_s: int, error_ratio: float, extra_ms: float = 0.0, slow_ratio: float = 1.0) -> Cell | None:
        """Return the cell of one tick, None when no request came; `extra_ms` is added to `slow_ratio` of them."""
        cell = Cell(start_s)
        at_s = self._random.expovariate(self._rate_rps)
        while at_s < TICK_S:
            cell.requests += 1
            cell.errors += self._random.random() < error_ratio
            delay_ms = extra_ms if self._random.random() < slow_ratio else 0.0
            cell.sketch.add(self._median_ms * self._random.lognormvariate(0, 0.4) + delay_ms)
            at_s += self._random.expovariate(self._rate_rps)
        return cell if cell.requests else None

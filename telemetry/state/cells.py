"""Cells of requests in event time: one slot per series and revision, bounded by the retention."""

from collections.abc import Iterable, Iterator
from math import log

from telemetry.model import RedSummary
from telemetry.sketch import BIAS, PER_LOG, Sketch, bucket_of
from telemetry.state.drops import Drops
from telemetry.state.limits import Limits
from telemetry.state.views import TICK_S, Cell

_SMALLEST_NS = 1_000
_SMALLEST_BUCKET = bucket_of(0)
_NS_BIAS = BIAS - log(1e6) * PER_LOG  # buckets are of milliseconds, spans carry nanoseconds


class CellBudget:
    """How many cells there are over all slots, and how many there may be."""

    __slots__ = ("drops", "max_cells", "retention_s", "used")

    def __init__(self, limits: Limits, drops: Drops) -> None:
        self.retention_s = limits.retention_s
        self.max_cells = limits.max_cells
        self.drops = drops
        self.used = 0


class Slot:
    """The cells of one series (or edge) on one revision, by the tick in which requests ended.

    Each slot keeps at least its newest cell. When all slots together exceed the budget, a slot that needs a new
    cell gives up its oldest one: busy times shorten the history of everything a little.
    """

    __slots__ = ("_budget", "_last", "cells")

    def __init__(self, budget: CellBudget) -> None:
        self.cells: dict[int, Cell] = {}
        self._budget = budget
        self._last = Cell(-TICK_S)

    def add(self, end_ns: int, duration_ns: int, error: bool) -> None:  # noqa: FBT001 — the hot path: no keywords
        """Count one request; the body of `Sketch.add` is repeated here because this runs for every span."""
        end_s = end_ns // 1_000_000_000
        start_s = end_s - end_s % TICK_S
        cell = self._last
        if cell.start_s != start_s:
            cell = self._cell_at(start_s)
        cell.requests += 1
        if error:
            cell.errors += 1
        sketch = cell.sketch
        buckets = sketch.buckets
        bucket = int(log(duration_ns) * PER_LOG + _NS_BIAS) if duration_ns > _SMALLEST_NS else _SMALLEST_BUCKET
        buckets[bucket] = buckets.get(bucket, 0) + 1
        sketch.count += 1

    def _cell_at(self, start_s: int) -> Cell:
        cell = self.cells.get(start_s)
        if cell is None:
            budget = self._budget
            if self.cells and budget.used >= budget.max_cells:
                self._forget_oldest()
                budget.drops.count("cells")
            elif (len(self.cells) + 1) * TICK_S > budget.retention_s:
                self._forget_oldest()
            cell = self.cells[start_s] = Cell(start_s)
            budget.used += 1
        self._last = cell
        return cell

    def _forget_oldest(self) -> None:
        del self.cells[min(self.cells)]
        self._budget.used -= 1

    def forget_before(self, start_s: int) -> bool:
        """Drop older cells and return whether none is left."""
        old = [at for at in self.cells if at < start_s]
        for at in old:
            del self.cells[at]
        self._budget.used -= len(old)
        if self._last.start_s not in self.cells:
            self._last = Cell(-TICK_S)
        return not self.cells

    def between(self, start_s: int, end_s: int) -> Iterator[Cell]:
        """Yield the cells that start in [start_s, end_s), in no particular order."""
        if (end_s - start_s) // TICK_S < len(self.cells):
            first = -(-start_s // TICK_S) * TICK_S
            found = (self.cells.get(at) for at in range(first, end_s, TICK_S))
            return (cell for cell in found if cell is not None)
        return (cell for cell in self.cells.values() if start_s <= cell.start_s < end_s)


def merged_cells(slots: Iterable[Slot], start_s: int, end_s: int) -> list[Cell]:
    """Return the cells of all slots, merged by tick, oldest first; a cell of one slot alone is not copied."""
    by_tick: dict[int, list[Cell]] = {}
    for slot in slots:
        for cell in slot.between(start_s, end_s):
            by_tick.setdefault(cell.start_s, []).append(cell)
    return [_sum(by_tick[at]) for at in sorted(by_tick)]


def _sum(cells: list[Cell]) -> Cell:
    if len(cells) == 1:
        return cells[0]
    return Cell(
        cells[0].start_s,
        sum(cell.requests for cell in cells),
        sum(cell.errors for cell in cells),
        Sketch.merged(cell.sketch for cell in cells),
    )


def summary(cells: Iterable[Cell]) -> RedSummary:
    """Return requests, errors and quantiles over some cells."""
    cells = list(cells)
    sketch = Sketch.merged(cell.sketch for cell in cells)
    return RedSummary(
        requests=sum(cell.requests for cell in cells),
        errors=sum(cell.errors for cell in cells),
        p50_ms=sketch.quantile(0.50),
        p95_ms=sketch.quantile(0.95),
        p99_ms=sketch.quantile(0.99),
    )

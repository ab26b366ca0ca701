"""Cells of requests in event time: one slot per series and revision, bounded by the retention."""

from collections.abc import Iterable, Iterator
from math import log

from telemetry.model import RedSummary
from telemetry.sketch import BIAS, PER_LOG, Sketch, bucket_of
from telemetry.state.drops import Drops
from telemetry.state.limits import Limits
from telemetry.state.views import TICK_S, Cell

_TICK_NS = TICK_S * 1_000_000_000
_SMALLEST_NS = 1_000
_SMALLEST_BUCKET = bucket_of(0)
_WAITING_MAX = 128  # numbers: two for each request
_NS_BIAS = BIAS - log(1e6) * PER_LOG  # buckets are of milliseconds, spans carry nanoseconds

_Place = tuple[Cell, int, int]
"""A cell with its stretch of time, [from, until) in nanoseconds."""
_NOWHERE: _Place = (Cell(-TICK_S), 0, 0)


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

    Requests wait in a list, and are counted together when somebody reads or the list is full: that costs half of
    counting them one by one.
    """

    __slots__ = ("_budget", "_cells", "_last", "_waiting")

    def __init__(self, budget: CellBudget) -> None:
        self._cells: dict[int, Cell] = {}
        self._budget = budget
        self._last = _NOWHERE
        self._waiting: list[int] = []
        """By request its end and its duration, in nanoseconds; of one that failed the duration's complement (< 0)."""

    def add(self, end_ns: int, duration_ns: int, error: bool) -> None:  # noqa: FBT001 — the hot path: no keywords
        """Count one request."""
        waiting = self._waiting
        waiting.append(end_ns)
        waiting.append(~duration_ns if error else duration_ns)
        if len(waiting) >= _WAITING_MAX:
            self._count()

    @property
    def cells(self) -> dict[int, Cell]:
        """The cells by their start in Unix seconds, everything counted."""
        if self._waiting:
            self._count()
        return self._cells

    def _count(self) -> None:
        """Count what waits; the body of `Sketch.add` is repeated here because this runs for every span."""
        waiting, self._waiting = self._waiting, []
        place, before = self._last, _NOWHERE
        (cell, from_ns, until_ns), requests = place, 0
        buckets = cell.sketch.buckets
        numbers = iter(waiting)
        for end_ns, duration_ns in zip(numbers, numbers, strict=True):
            if not from_ns <= end_ns < until_ns:
                cell.count(requests)
                is_before = before[1] <= end_ns < before[2]  # at the turn of a tick, requests of both come by turns
                place, before = before if is_before else self._turn_to(end_ns // _TICK_NS), place
                (cell, from_ns, until_ns), requests = place, 0
                buckets = cell.sketch.buckets
            requests += 1
            if duration_ns < 0:
                cell.errors += 1
                duration_ns = ~duration_ns  # noqa: PLW2901 — the hot path
            bucket = int(log(duration_ns) * PER_LOG + _NS_BIAS) if duration_ns > _SMALLEST_NS else _SMALLEST_BUCKET
            buckets[bucket] = buckets.get(bucket, 0) + 1
        cell.count(requests)
        self._last = place

    def _turn_to(self, tick: int) -> _Place:
        start_s = tick * TICK_S
        cell = self._cells.get(start_s)
        if cell is None:
            budget = self._budget
            if self._cells and budget.used >= budget.max_cells:
                self._forget_oldest()
                budget.drops.count("cells")
            elif (len(self._cells) + 1) * TICK_S > budget.retention_s:
                self._forget_oldest()
            cell = self._cells[start_s] = Cell(start_s)
            budget.used += 1
        return cell, tick * _TICK_NS, (tick + 1) * _TICK_NS

    def _forget_oldest(self) -> None:
        del self._cells[min(self._cells)]
        self._budget.used -= 1

    def forget_before(self, start_s: int) -> bool:
        """Drop older cells and return whether none is left."""
        cells = self.cells
        old = [at for at in cells if at < start_s]
        for at in old:
            del cells[at]
        self._budget.used -= len(old)
        if self._last[0].start_s not in cells:
            self._last = _NOWHERE
        return not cells

    def between(self, start_s: int, end_s: int) -> Iterator[Cell]:
        """Yield the cells that start in [start_s, end_s), in no particular order."""
        cells = self.cells
        if (end_s - start_s) // TICK_S < len(cells):
            first = -(-start_s // TICK_S) * TICK_S
            found = (cells.get(at) for at in range(first, end_s, TICK_S))
            return (cell for cell in found if cell is not None)
        return (cell for cell in cells.values() if start_s <= cell.start_s < end_s)


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

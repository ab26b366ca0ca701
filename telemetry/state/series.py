"""All series of SERVER and CONSUMER spans, and the slots that their spans go to."""

from collections.abc import Iterator, Sequence
from itertools import chain

from telemetry.model import SeriesKey
from telemetry.state.cells import CellBudget, Slot, merged_cells
from telemetry.state.drops import Drops
from telemetry.state.limits import Limits
from telemetry.state.views import TICK_S, Cell

OTHER = "(other)"
"""Operation that takes the requests beyond the cap on operations of a service."""

Release = tuple[str, str]
"""What runs: (`service.version`, `vcs.ref.head.revision`), each empty when unknown."""


Place = tuple[str, str]
"""Tenant and environment."""


class Series:
    """One series with its slots by release; `name` is (service, operation)."""

    __slots__ = ("key", "name", "slots")

    def __init__(self, key: SeriesKey) -> None:
        self.key = key
        self.name = (key.service, key.operation)
        self.slots: dict[Release, Slot] = {}

    def cell(self, start_s: int) -> Cell | None:
        """Return the cell that starts at `start_s`, over all releases; None when no request ended in it."""
        found = None
        for slot in self.slots.values():
            cell = slot.cells.get(start_s)
            if cell is not None:
                if found is not None:
                    return merged_cells(self.slots.values(), start_s, start_s + TICK_S)[0]
                found = cell
        return found


class SeriesTable:
    """Slots by series and release, bounded in series and in operations per service."""

    def __init__(self, limits: Limits, drops: Drops, budget: CellBudget) -> None:
        self._limits = limits
        self._drops = drops
        self._budget = budget
        self._series: dict[SeriesKey, Series] = {}
        self._ordered: dict[Place, Sequence[Series]] = {}
        self._added: dict[Place, list[Series]] = {}
        self._operations: dict[tuple[str, str, str], int] = {}

    def __len__(self) -> int:
        return len(self._series)

    def keys(self) -> tuple[SeriesKey, ...]:
        """Return all series."""
        return tuple(self._series)

    @property
    def places(self) -> list[Place]:
        """The tenants' environments that have a series, in order."""
        return sorted(self._ordered.keys() | self._added.keys())

    def in_place(self, place: Place) -> Sequence[Series]:
        """Return the series of an environment by service and operation: the same object until one comes or goes."""
        added = self._added.pop(place, None)
        if added is not None:
            ordered = self._ordered.get(place, ())
            self._ordered[place] = sorted(chain(ordered, added), key=lambda series: series.name)
        return self._ordered.get(place, ())

    def slots(self, key: SeriesKey, revision: str | None = None) -> Iterator[Slot]:
        """Yield the slots of a series; with a revision only those whose version or revision it is."""
        series = self._series.get(key)
        for release, slot in series.slots.items() if series else ():
            if revision is None or revision in release:
                yield slot

    def slot(self, key: SeriesKey, release: Release) -> Slot | None:
        """Return where requests of a series on a release are counted, or None when there is no room for it."""
        series = self._series.get(key)
        if series is None:
            service = (key.tenant, key.environment, key.service)
            operations = self._operations.get(service, 0)
            if operations >= self._limits.max_operations_per_service and key.operation != OTHER:
                self._drops.count("operations_merged")
                return self.slot(key.model_copy(update={"operation": OTHER}), release)
            if len(self._series) >= self._limits.max_series:
                return None
            self._operations[service] = operations + 1
            series = self._series[key] = Series(key)
            self._added.setdefault((key.tenant, key.environment), []).append(series)
        slot = series.slots.get(release)
        if slot is None:
            if len(series.slots) >= self._limits.max_versions_per_service:
                return None
            slot = series.slots[release] = Slot(self._budget)
        return slot

    def forget_before(self, start_s: int) -> bool:
        """Drop older cells and return whether slots went with them: whoever remembers slots must ask again."""
        gone = False
        emptied: set[Place] = set()
        for key, series in list(self._series.items()):
            for release, slot in list(series.slots.items()):
                if slot.forget_before(start_s):
                    gone = True
                    del series.slots[release]
            if not series.slots:
                del self._series[key]
                emptied.add((key.tenant, key.environment))
                self._forget_operation((key.tenant, key.environment, key.service))
        for place in emptied:
            self._ordered[place] = [series for series in self.in_place(place) if series.slots]
            if not self._ordered[place]:
                del self._ordered[place]
        return gone

    def _forget_operation(self, service: tuple[str, str, str]) -> None:
        self._operations[service] -= 1
        if not self._operations[service]:
            del self._operations[service]

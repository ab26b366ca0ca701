"""All series of SERVER and CONSUMER spans, and the slots that their spans go to."""

from collections.abc import Iterator

from telemetry.model import SeriesKey
from telemetry.state.cells import CellBudget, Slot
from telemetry.state.drops import Drops
from telemetry.state.limits import Limits

OTHER = "(other)"
"""Operation that takes the requests beyond the cap on operations of a service."""

Release = tuple[str, str]
"""What runs: (`service.version`, `vcs.ref.head.revision`), each empty when unknown."""


class SeriesTable:
    """Slots by series and release, bounded in series and in operations per service."""

    def __init__(self, limits: Limits, drops: Drops, budget: CellBudget) -> None:
        self._limits = limits
        self._drops = drops
        self._budget = budget
        self._series: dict[SeriesKey, dict[Release, Slot]] = {}
        self._operations: dict[tuple[str, str, str], int] = {}

    def __len__(self) -> int:
        return len(self._series)

    def keys(self) -> tuple[SeriesKey, ...]:
        """Return all series."""
        return tuple(self._series)

    def slots(self, key: SeriesKey, revision: str | None = None) -> Iterator[Slot]:
        """Yield the slots of a series; with a revision only those whose version or revision it is."""
        for release, slot in self._series.get(key, {}).items():
            if revision is None or revision in release:
                yield slot

    def slot(self, key: SeriesKey, release: Release) -> Slot | None:
        """Return where requests of a series on a release are counted, or None when there is no room for it."""
        releases = self._series.get(key)
        if releases is None:
            service = (key.tenant, key.environment, key.service)
            operations = self._operations.get(service, 0)
            if operations >= self._limits.max_operations_per_service and key.operation != OTHER:
                self._drops.count("operations_merged")
                return self.slot(key.model_copy(update={"operation": OTHER}), release)
            if len(self._series) >= self._limits.max_series:
                return None
            self._operations[service] = operations + 1
            releases = self._series[key] = {}
        slot = releases.get(release)
        if slot is None:
            if len(releases) >= self._limits.max_versions_per_service:
                return None
            slot = releases[release] = Slot(self._budget)
        return slot

    def forget_before(self, start_s: int) -> bool:
        """Drop older cells and return whether slots went with them: whoever remembers slots must ask again."""
        gone = False
        for key, releases in list(self._series.items()):
            for release, slot in list(releases.items()):
                if slot.forget_before(start_s):
                    gone = True
                    del releases[release]
            if not releases:
                del self._series[key]
                self._forget_operation((key.tenant, key.environment, key.service))
        return gone

    def _forget_operation(self, service: tuple[str, str, str]) -> None:
        self._operations[service] -= 1
        if not self._operations[service]:
            del self._operations[service]

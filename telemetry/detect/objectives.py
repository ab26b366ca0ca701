"""The watch over the declared objectives of an environment: one burn-rate monitor each, however many operations."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from telemetry.detect.burn import BurnMonitor
from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.detect.lifecycle import Closing
from telemetry.detect.memory import BurnMemory, WatchAnomaly
from telemetry.model import SeriesKey
from telemetry.rules import Slo
from telemetry.state import Cell


class ObjectiveWatch:
    """Counts good and bad requests for each objective; what it keeps is bounded by how many are declared."""

    def __init__(self, slos: Sequence[Slo], config: DetectConfig) -> None:
        self.monitors = [(slo, BurnMonitor(slo.name, slo.objective, config)) for slo in slos]
        self._keys: dict[int, SeriesKey] = {}
        self._seen: set[str] = set()

    def advance(
        self, start_s: int, cells: Iterable[tuple[SeriesKey, Cell | None]], closing_of: Callable[[str], Closing]
    ) -> None:
        """Take in the cells of the tick that starts at `start_s`, by series of the environment."""
        if not self.monitors:
            return
        by_service: dict[str, list[tuple[str, Cell]]] = {}
        for key, cell in cells:
            if cell is not None:
                by_service.setdefault(key.service, []).append((key.operation, cell))
        self._seen |= by_service.keys()
        for slo, monitor in self.monitors:
            if slo.service in self._seen:
                mine = [c for op, c in by_service.get(slo.service, ()) if slo.operation in {None, op}]
                bad = sum(_bad(slo, cell) for cell in mine)
                monitor.step(start_s, sum(cell.requests for cell in mine), bad, closing_of(slo.service))

    def dump(self) -> list[BurnMemory]:
        """Return what was counted for every objective."""
        return [monitor.counter.dump(slo.service, slo.name) for slo, monitor in self.monitors]

    def load(self, counted: Iterable[BurnMemory]) -> None:
        """Take over what `dump` returned for the objectives that are still declared."""
        by_name = {(memory.service, memory.objective): memory for memory in counted}
        for slo, monitor in self.monitors:
            memory = by_name.get((slo.service, slo.name))
            if memory is not None:
                monitor.counter.load(memory)
                self._seen.add(slo.service)

    def dump_anomalies(self) -> list[WatchAnomaly]:
        """Return the anomalies that are open or may flap; one that nobody was told has no key yet."""
        told = ((self._keys.get(number), monitor) for number, (_, monitor) in enumerate(self.monitors))
        return [memory for key, monitor in told if key is not None and (memory := monitor.dump(key)) is not None]

    def load_anomalies(self, anomalies: Iterable[tuple[SeriesKey, WatchAnomaly]]) -> None:
        """Take over what `dump_anomalies` returned, by the series under which each was told."""
        for key, memory in anomalies:
            for number, (slo, monitor) in enumerate(self.monitors):
                if (slo.service, slo.name) == (memory.service, memory.subject):
                    monitor.load(memory)
                    self._keys[number] = key

    def findings(self, key_of: Callable[[str, str], SeriesKey]) -> Iterator[Finding]:
        """Yield all findings; each keeps the series key that `key_of` (service, operation) first gave it."""
        for number, (slo, monitor) in enumerate(self.monitors):
            if monitor.life.state is None:
                self._keys.pop(number, None)
                continue
            key = self._keys.get(number) or self._keys.setdefault(
                number, key_of(slo.service, slo.operation or slo.name)
            )
            told = monitor.finding(key)
            if told is not None:
                yield told


def _bad(slo: Slo, cell: Cell) -> int:
    return cell.errors if slo.latency_ms is None else cell.sketch.count_above(slo.latency_ms)

"""The watch over the traffic of every series of an environment, and whether telemetry still flows at all."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.detect.lifecycle import Closing
from telemetry.detect.memory import TrafficMemory, WatchAnomaly
from telemetry.detect.traffic import Flow, TrafficMonitor
from telemetry.model import SeriesKey
from telemetry.state import Cell, Series
from telemetry.steps import Steps

_SLICE = 256
_LEARNED_MAX = 20_000  # series that are silent; the one that fell silent first goes


class TrafficWatch:
    """Feeds each series' monitor; what is usual for one that is not told of any more is kept for when it is again."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self.monitors: dict[SeriesKey, TrafficMonitor] = {}
        self._reported: dict[str, int] = {}
        self._told: dict[SeriesKey, TrafficMonitor] = {}
        """Those with a finding: few, while series are many."""
        self._followed: Sequence[Series] = ()
        self._rows: list[tuple[str, TrafficMonitor, int, SeriesKey]] = []
        self._learned: dict[SeriesKey, TrafficMemory] = {}
        """What is usual for series that have sent nothing for longer than telemetry is kept, or since a restart."""

    def follow(self, series: Sequence[Series]) -> Steps[None]:
        """Take over which series there are, in order: only when `series` is another object is there anything to do."""
        if series is self._followed:
            return
        counts = Counter(each.key.service for each in series)
        rows: list[tuple[str, TrafficMonitor, int, SeriesKey]] = []
        for number, each in enumerate(series, 1):
            service = each.key.service
            rows.append((service, self._monitor(each.key), counts[service], each.key))
            if number % _SLICE == 0:
                yield
        gone = self.monitors.keys() - {each.key for each in series}
        for number, key in enumerate([k for k in gone if not self.monitors[k].is_open], 1):
            self._retire(key)
            if number % _SLICE == 0:
                yield
        self._rows, self._followed = rows, series

    def _retire(self, key: SeriesKey) -> None:
        usual = self.monitors.pop(key).usual
        self._told.pop(key, None)
        if usual.recent:
            self._learned[key] = usual.dump(key)
            if len(self._learned) > _LEARNED_MAX:
                del self._learned[next(iter(self._learned))]

    def advance(self, start_s: int, cells: Sequence[Cell | None], closing_of: Callable[[str], Closing]) -> Steps[None]:
        """Take in the cells of the tick that starts at `start_s`, of the series followed; None is silence."""
        for (service, *_), cell in zip(self._rows, cells, strict=True):
            if cell is not None:
                self._reported[service] = start_s
        newest = sorted(((at_s, service) for service, at_s in self._reported.items()), reverse=True)[:2]
        silence = Flow(start_s, 0, alive=True)
        for number, ((service, monitor, count, key), cell) in enumerate(zip(self._rows, cells, strict=True), 1):
            others = next((at_s for at_s, name in newest if name != service), 0)
            alive = start_s - others < self._config.traffic_alive_s
            was_told = monitor.is_told
            if cell is not None or alive or was_told:
                flow = silence if cell is None and alive else Flow(start_s, cell.requests if cell else 0, alive)
                monitor.step(flow, count, closing_of(service))
                if monitor.is_told is not was_told:
                    self._note(key, monitor)
            if number % _SLICE == 0:
                yield

    def _note(self, key: SeriesKey, monitor: TrafficMonitor) -> None:
        if monitor.is_told:
            self._told[key] = monitor
        else:
            self._told.pop(key, None)

    def dump(self) -> Steps[list[TrafficMemory]]:
        """Return what is usual for every series of which anything has been learned."""
        live: list[TrafficMemory] = []
        for number, (key, monitor) in enumerate(list(self.monitors.items()), 1):
            if monitor.usual.recent:
                live.append(monitor.usual.dump(key))
            if number % _SLICE == 0:
                yield
        return [*self._learned.values(), *live]

    def load(self, learned: Iterable[tuple[SeriesKey, TrafficMemory]]) -> None:
        """Take over what `dump` returned, by series; it is used when a series sends again."""
        self._learned.update(learned)

    def dump_anomalies(self) -> list[WatchAnomaly]:
        """Return every drop and surge that is open or may flap."""
        sides = ((key, side) for key, monitor in self._told.items() for side in (monitor.drop, monitor.surge))
        return [memory for key, side in sides if (memory := side.dump(key)) is not None]

    def load_anomalies(self, anomalies: Iterable[tuple[SeriesKey, WatchAnomaly]]) -> None:
        """Take over what `dump_anomalies` returned, by series; without what is usual they could never heal."""
        for key, memory in anomalies:
            monitor = self._monitor(key)
            side = monitor.drop if memory.subject == monitor.drop.name else monitor.surge
            if monitor.usual.recent:
                side.load(memory)
                self._note(key, monitor)

    def _monitor(self, key: SeriesKey) -> TrafficMonitor:
        found = self.monitors.get(key)
        if found is None:
            found = self.monitors[key] = TrafficMonitor(self._config)
            memory = self._learned.pop(key, None)
            if memory is not None:
                found.usual.load(memory)
        return found

    def findings(self) -> Iterator[Finding]:
        """Yield all findings."""
        for key, monitor in self._told.items():
            yield from monitor.findings(key)

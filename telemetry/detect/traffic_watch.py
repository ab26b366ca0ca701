"""The watch over the traffic of every series of an environment, and whether telemetry still flows at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.detect.lifecycle import Closing
from telemetry.detect.memory import TrafficMemory, WatchAnomaly
from telemetry.detect.traffic import Flow, TrafficMonitor
from telemetry.model import SeriesKey
from telemetry.state import Cell


class TrafficWatch:
    """Feeds each series' monitor; a series that is not told of any more is forgotten unless its anomaly is open."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self.monitors: dict[SeriesKey, TrafficMonitor] = {}
        self._reported: dict[str, int] = {}
        self._learned: dict[SeriesKey, TrafficMemory] = {}
        """What was usual before a restart for series that have sent nothing since."""

    def advance(
        self, start_s: int, cells: Mapping[SeriesKey, Cell | None], closing_of: Callable[[str], Closing]
    ) -> None:
        """Take in the cells of the tick that starts at `start_s`, by series of the environment; None is silence."""
        per_service: dict[str, int] = {}
        for key, cell in cells.items():
            per_service[key.service] = per_service.get(key.service, 0) + 1
            if cell is not None and cell.requests:
                self._reported[key.service] = start_s
        newest = sorted(((at_s, service) for service, at_s in self._reported.items()), reverse=True)[:2]
        for key, cell in cells.items():
            monitor = self._monitor(key)
            others = max((at_s for at_s, service in newest if service != key.service), default=0)
            alive = start_s - others < self._config.traffic_alive_s
            flow = Flow(start_s, cell.requests if cell else 0, alive)
            monitor.step(flow, per_service[key.service], closing_of(key.service))
        for key in [k for k in self.monitors if k not in cells and not self.monitors[k].is_open]:
            del self.monitors[key]

    def dump(self) -> list[TrafficMemory]:
        """Return what is usual for every series of which anything has been learned."""
        live = [monitor.usual.dump(key) for key, monitor in self.monitors.items() if monitor.usual.recent]
        return [*self._learned.values(), *live]

    def load(self, learned: Iterable[tuple[SeriesKey, TrafficMemory]]) -> None:
        """Take over what `dump` returned, by series; it is used when a series sends again."""
        self._learned.update(learned)

    def dump_anomalies(self) -> list[WatchAnomaly]:
        """Return every drop and surge that is open or may flap."""
        sides = ((key, side) for key, monitor in self.monitors.items() for side in (monitor.drop, monitor.surge))
        return [memory for key, side in sides if (memory := side.dump(key)) is not None]

    def load_anomalies(self, anomalies: Iterable[tuple[SeriesKey, WatchAnomaly]]) -> None:
        """Take over what `dump_anomalies` returned, by series; without what is usual they could never heal."""
        for key, memory in anomalies:
            monitor = self._monitor(key)
            side = monitor.drop if memory.subject == monitor.drop.name else monitor.surge
            if monitor.usual.recent:
                side.load(memory)

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
        for key, monitor in self.monitors.items():
            yield from monitor.findings(key)

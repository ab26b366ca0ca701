"""The watch over the traffic of every series of an environment, and whether telemetry still flows at all."""

from collections.abc import Callable, Iterator, Mapping

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.detect.lifecycle import Closing
from telemetry.detect.traffic import Flow, TrafficMonitor
from telemetry.model import SeriesKey
from telemetry.state import Cell


class TrafficWatch:
    """Feeds each series' monitor; a series that is not told of any more is forgotten unless its anomaly is open."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self.monitors: dict[SeriesKey, TrafficMonitor] = {}
        self._reported: dict[str, int] = {}

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
            monitor = self.monitors.get(key)
            if monitor is None:
                monitor = self.monitors[key] = TrafficMonitor(self._config)
            others = max((at_s for at_s, service in newest if service != key.service), default=0)
            alive = start_s - others < self._config.traffic_alive_s
            flow = Flow(start_s, cell.requests if cell else 0, alive)
            monitor.step(flow, per_service[key.service], closing_of(key.service))
        for key in [k for k in self.monitors if k not in cells and not self.monitors[k].is_open]:
            del self.monitors[key]

    def findings(self) -> Iterator[Finding]:
        """Yield all findings."""
        for key, monitor in self.monitors.items():
            yield from monitor.findings(key)

"""The watch over every series of an environment, by D1 and D2, and what was normal for those that fell silent."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from telemetry.detect import severity
from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding, Words, finding
from telemetry.detect.lifecycle import Closing
from telemetry.detect.memory import KEPT_S, SeriesAnomalies, SeriesMemory
from telemetry.detect.series import SeriesMonitor
from telemetry.model import Detector, SeriesKey
from telemetry.state import Cell, Series
from telemetry.steps import Steps

SLICE = 256
"""After how many series a tick, or a dump, pauses."""

_SILENT_MAX = 5_000
_SILENT_WINDOWS = 600
_DUMPED_MAX = 25_000


class SeriesWatch:
    """Feeds each series' monitor. One that is idle and of which nothing is pending only has its tick counted."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self._monitors: dict[SeriesKey, SeriesMonitor] = {}
        self._silent: dict[SeriesKey, SeriesMemory] = {}
        """What was normal for series that send nothing now: they may come back within a week."""
        self._told: dict[SeriesKey, SeriesMonitor] = {}
        """Those with a finding: few, while series are many."""
        self._followed: Sequence[Series] = ()
        self._rows: list[tuple[Series, SeriesMonitor, int]] = []
        self._by_service: dict[str, list[SeriesKey]] = {}
        self.services: frozenset[str] = frozenset()

    def __len__(self) -> int:
        """Return how many series have a baseline, silent ones included."""
        return len(self._monitors) + len(self._silent)

    def __contains__(self, key: SeriesKey) -> bool:
        """Return whether a series is watched."""
        return key in self._monitors

    def of(self, service: str) -> Sequence[SeriesKey]:
        """Return the series of a service that are watched, by operation."""
        return self._by_service.get(service, ())

    def follow(self, series: Sequence[Series], now_s: int) -> Steps[None]:
        """Take over which series there are, in order: only when `series` is another object is there anything to do."""
        if series is self._followed:
            return
        counts = Counter(each.key.service for each in series)
        rows: list[tuple[Series, SeriesMonitor, int]] = []
        for number, each in enumerate(series, 1):
            rows.append((each, self.monitor(each.key, now_s), counts[each.key.service]))
            if number % SLICE == 0:
                yield
        gone = self._monitors.keys() - {each.key for each in series}
        for key in [k for k in gone if not self._monitors[k].is_open]:
            self._told.pop(key, None)
            self._silent[key] = self._monitors.pop(key).dump(now_s, _SILENT_WINDOWS)
            if len(self._silent) > _SILENT_MAX:
                del self._silent[next(iter(self._silent))]
        self._rows, self._followed = rows, series
        self._index()

    def advance(self, start_s: int, closing_of: Callable[[str], Closing]) -> Steps[list[Cell | None]]:
        """Take in the tick that starts at `start_s` and return its cells, in the order of the series followed."""
        cells: list[Cell | None] = []
        for number, (series, monitor, count) in enumerate(self._rows, 1):
            cell = series.cell(start_s)
            cells.append(cell)
            if cell is None and monitor.is_idle:
                monitor.rest()
            else:
                was_told = monitor.is_told
                monitor.step(start_s, cell, count, closing_of(series.key.service))
                if monitor.is_told is not was_told:
                    self._note(monitor)
            if number % SLICE == 0:
                yield
        return cells

    def _note(self, monitor: SeriesMonitor) -> None:
        if monitor.is_told:
            self._told[monitor.key] = monitor
        else:
            self._told.pop(monitor.key, None)

    def monitor(self, key: SeriesKey, now_s: int) -> SeriesMonitor:
        """Return the monitor of a series; a new one knows what was normal before the series fell silent."""
        found = self._monitors.get(key)
        if found is None:
            found = self._monitors[key] = SeriesMonitor(key, self._config)
            memory = self._silent.pop(key, None)
            if memory is not None and now_s - memory.learned_s <= KEPT_S:
                found.load(memory)
        return found

    def peek(self, key: SeriesKey, now_s: int) -> SeriesMonitor | None:
        """Return the monitor of a series if it is watched, or was: then one that knows what was normal."""
        memory = self._silent.get(key)
        if memory is None:
            return self._monitors.get(key)
        found = SeriesMonitor(key, self._config)
        if now_s - memory.learned_s <= KEPT_S:
            found.load(memory)
        return found

    def findings(self) -> Iterator[Finding]:
        """Yield all findings."""
        for monitor in self._told.values():
            yield from _findings(monitor)

    def dump(self, now_s: int, windows_max: int) -> Steps[list[SeriesMemory]]:
        """Return what is normal for every series, with at most `windows_max` windows of each kind."""
        live: list[SeriesMemory] = []
        for number, monitor in enumerate(list(self._monitors.values()), 1):
            live.append(monitor.dump(now_s, windows_max))
            if number % SLICE == 0:
                yield
        return [*self._silent.values(), *live][-_DUMPED_MAX:]

    def load(self, series: Iterable[tuple[SeriesKey, SeriesMemory]]) -> None:
        """Take over what `dump` returned; it is used when a series sends again. Raises ValueError when damaged."""
        for key, memory in series:
            SeriesMonitor(key, self._config).load(memory)
            self._silent[key] = memory

    def dump_anomalies(self) -> list[SeriesAnomalies]:
        """Return every anomaly that is open or may flap."""
        found = (monitor.dump_anomalies() for monitor in self._told.values())
        return [memory for memory in found if memory is not None]

    def load_anomalies(self, anomalies: Iterable[tuple[SeriesKey, SeriesAnomalies]], now_s: int) -> None:
        """Take over what `dump_anomalies` returned, after `load`."""
        for key, memory in anomalies:
            monitor = self.monitor(key, now_s)
            monitor.load_anomalies(memory)
            self._note(monitor)
        self._index()

    def _index(self) -> None:
        """Tell by service which series are watched."""
        self._by_service = {}
        for key in sorted(self._monitors, key=lambda key: key.operation):
            self._by_service.setdefault(key.service, []).append(key)
        self.services = frozenset(self._by_service)


def _findings(monitor: SeriesMonitor) -> Iterator[Finding]:
    if monitor.errors.life.state is not None:
        detector = monitor.errors
        shown = detector.at_confirmation if detector.life.confirmed_s else detector.history.window()
        reason = (
            f"{shown.bad} of {shown.requests} requests failed ({100 * shown.bad_ratio:.1f} %), "
            f"normal is {100 * monitor.baseline.errors.p0:.1f} % at most."
        )
        words = Words(Detector.ERRORS, severity.of_errors(detector.worst), reason)
        yield finding(monitor.key, detector.life, words, bad_now=bool(detector.bad_now))
    limits = monitor.baseline.limits
    if monitor.latency.life.state is not None and limits is not None:
        detector = monitor.latency
        shown = detector.at_confirmation if detector.life.confirmed_s else detector.history.window()
        reason = (
            f"{shown.bad} of {shown.requests} requests took over {limits.slow_ms:.0f} ms "
            f"({100 * shown.bad_ratio:.1f} %); the normal p95 is {limits.p95_ms:.0f} ms."
        )
        words = Words(Detector.LATENCY, severity.of_latency(detector.worst), reason)
        yield finding(monitor.key, detector.life, words, bad_now=bool(detector.bad_now))

"""One series under watch: its baseline, D1 and D2, and the rule that keeps the one from learning the other."""

from collections import deque

from telemetry.detect.baseline import Baseline
from telemetry.detect.config import DetectConfig
from telemetry.detect.lifecycle import Closing
from telemetry.detect.memory import SeriesAnomalies, SeriesMemory
from telemetry.detect.shift import ShiftDetector
from telemetry.detect.windows import Rule, Tick, Window, is_bad
from telemetry.model import Health, SeriesKey
from telemetry.state import Cell


class SeriesMonitor:
    """Runs the detectors of one series tick by tick in event time."""

    def __init__(self, key: SeriesKey, config: DetectConfig) -> None:
        self.key = key
        self.baseline = Baseline(config)
        self._config = config
        self._error_rule = Rule(config.error_windows, p95_must_move=False)
        self._slow_rule = Rule(config.slow_windows, p95_must_move=True)
        self.errors = ShiftDetector(self._error_rule, config)
        self.latency = ShiftDetector(self._slow_rule, config)
        self._pending: deque[Cell] = deque()
        self._rested = 0
        self.is_told = False
        """Whether there is an anomaly, if only a suspicion."""
        self.is_idle = False
        """Whether a tick without requests changes nothing: no score, no anomaly, and no cell that is yet to learn."""

    @property
    def is_open(self) -> bool:
        """True while an anomaly of the series is confirmed and not closed."""
        return self.errors.life.is_open or self.latency.life.is_open

    def step(self, start_s: int, cell: Cell | None, series: int, closing: Closing) -> None:
        """Advance by the tick that starts at `start_s`; `cell` is None when nothing happened in it."""
        if self._rested:
            self._catch_up()
        requests, errors = (cell.requests, cell.errors) if cell else (0, 0)
        self.errors.step(Tick(start_s, requests, errors, 0), self.baseline.errors, series, closing)
        limits = self.baseline.limits
        if limits is not None:
            slow = cell.sketch.count_above(limits.slow_ms) if cell else 0
            shifted = cell.sketch.count_above(limits.shifted_ms) if cell else 0
            tick = Tick(start_s, requests, slow, shifted)
            self.latency.step(tick, self.baseline.slow, series, closing)
        self._learn(start_s + self._config.tick_s, cell, closing)
        self._note()

    def rest(self) -> None:
        """Advance by a tick without requests while `is_idle`: it is only counted."""
        self._rested += 1

    def _catch_up(self) -> None:
        self.errors.history.skip(self._rested)
        if self.baseline.limits is not None:
            self.latency.history.skip(self._rested)
        self._rested = 0

    def _note(self) -> None:
        errors, latency = self.errors, self.latency
        self.is_told = errors.life.state is not None or latency.life.state is not None
        calm = errors.excursion_s is None and latency.excursion_s is None
        self.is_idle = calm and not self.is_told and not self._pending

    def _learn(self, now_s: int, cell: Cell | None, closing: Closing) -> None:
        """Learn the cells before every running excursion; forget those of a suspicion, an anomaly or maintenance.

        A suspicion that is never confirmed must not stop learning for good: after half an hour it is normal.
        """
        detectors = [d for d in (self.errors, self.latency) if not self._is_stale(d, now_s)]
        if closing.maintenance or any(detector.disturbed for detector in detectors):
            self._pending.clear()
            return
        if cell is not None:
            self._pending.append(cell)
        before_s = min((d.excursion_s for d in detectors if d.excursion_s is not None), default=now_s)
        while self._pending and self._pending[0].start_s < before_s:
            self.baseline.learn(self._pending.popleft())

    def _is_stale(self, detector: ShiftDetector, now_s: int) -> bool:
        began_s = detector.excursion_s
        return not detector.life.is_open and began_s is not None and now_s - began_s > self._config.verdict_wait_s

    def dump(self, now_s: int, windows_max: int) -> SeriesMemory:
        """Return what is normal for the series, as learned by `now_s`."""
        return SeriesMemory(self.key.service, self.key.operation, now_s, self.baseline.dump(windows_max))

    def load(self, memory: SeriesMemory) -> None:
        """Take over what `dump` returned. Raises ValueError when it is damaged."""
        self.baseline.load(memory.baseline)

    def dump_anomalies(self) -> SeriesAnomalies | None:
        """Return the anomalies of the series, None when it has none."""
        errors, latency = self.errors.dump(), self.latency.dump()
        return SeriesAnomalies(self.key.service, self.key.operation, errors, latency) if errors or latency else None

    def load_anomalies(self, memory: SeriesAnomalies) -> None:
        """Take over what `dump_anomalies` returned; without a baseline no latency can be judged, nor healed."""
        if memory.errors is not None:
            self.errors.load(memory.errors)
        if memory.latency is not None and self.baseline.limits is not None:
            self.latency.load(memory.latency)
        self._note()

    def health(self, cells: list[Cell], requests_min: int) -> Health:
        """Return the detectors' verdict on the cells of one window, against the undisturbed baseline."""
        requests = sum(cell.requests for cell in cells)
        if requests < max(1, requests_min):
            return Health.NO_DATA
        errors = Window(requests, sum(cell.errors for cell in cells), 0)
        bad = is_bad(errors, self.baseline.errors.p0, self._error_rule, self._config)
        return Health.UNHEALTHY if bad or self._is_slow(cells, requests) else Health.HEALTHY

    def _is_slow(self, cells: list[Cell], requests: int) -> bool:
        limits = self.baseline.limits
        if limits is None:
            return False
        slow = sum(cell.sketch.count_above(limits.slow_ms) for cell in cells)
        shifted = sum(cell.sketch.count_above(limits.shifted_ms) for cell in cells)
        return is_bad(Window(requests, slow, shifted), self.baseline.slow.p0, self._slow_rule, self._config)

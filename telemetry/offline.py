"""Scout over recorded telemetry, in event time: the same code as live, with a clock that the messages set."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from telemetry.detect import DetectConfig
from telemetry.errors import TelemetryFileError
from telemetry.files import Recorded, SignalKind, TelemetryFile, merged
from telemetry.model import Anomaly, AnomalyState
from telemetry.rules import ScoutConfig
from telemetry.scout import Scout
from telemetry.state import Limits, Taken, TelemetryState

TENANT = "default"
_NS = 1_000_000_000
_GAP_S = 3600
_LATENESS_S = 60
"""Files wait for nobody: event time may lag behind the newest data until late spans have come, at no cost."""


class OfflineScout:
    """A state and a Scout that recorded messages are played to, in the order of their times."""

    def __init__(
        self, *, config: DetectConfig | None = None, rules: ScoutConfig | None = None, limits: Limits | None = None
    ) -> None:
        self._now_s = 0.0
        self._ticked_s = 0
        self._config = config or DetectConfig()
        self._found: dict[str, Anomaly] = {}
        self.state = TelemetryState(limits, clock=lambda: self._now_s)
        self.scout = Scout(self.state, config=self._config, rules=rules)
        self._adds: dict[SignalKind, Any] = {
            SignalKind.TRACES: self.state.add_traces,
            SignalKind.METRICS: self.state.add_metrics,
            SignalKind.LOGS: self.state.add_logs,
        }

    def take(self, at_ns: int, message: Recorded) -> Taken:
        """Take in a message of the time `at_ns`, and detect as far as event time has come.

        A time ahead of the machine's clock is not believed: one broken clock must not outdate everything else.
        """
        self._now_s = max(self._now_s, min(at_ns / _NS, time.time()))
        taken: Taken = self._adds[message.kind](TENANT, message.request)
        self._tick()
        return taken

    def finish(self) -> None:
        """Take the last of the data as complete: nothing comes any more."""
        self.state.finish()
        self._tick()

    def _tick(self) -> None:
        """Tick one by one, so that nothing that comes and goes between two messages is missed."""
        watermark_s, tick_s = self.state.watermark_s, self._config.tick_s
        if watermark_s is None:
            return
        first_s = max(self._ticked_s, watermark_s - _GAP_S) // tick_s * tick_s
        for now_s in range(first_s + tick_s, watermark_s + 1, tick_s):
            self.scout.tick(now_s)
            self._note()
            self._ticked_s = now_s

    def _note(self) -> None:
        for finding in self.scout.findings():
            if finding.state is not AnomalyState.SUSPECT:
                self._found[finding.id] = finding.anomaly()

    @property
    def anomalies(self) -> tuple[Anomaly, ...]:
        """Every anomaly that was ever confirmed, as it stood last, by onset and series."""
        ordered = sorted(
            self._found.values(), key=lambda a: (a.onset, a.key.service, a.key.operation, a.detector, a.id)
        )
        return tuple(ordered)


def detect(
    paths: Iterable[Path], *, config: DetectConfig | None = None, rules: ScoutConfig | None = None
) -> OfflineScout:
    """Return a Scout that has seen some files from start to end, with the anomalies that it found.

    `rules` are the operator's objectives and maintenance windows.

    Raises:
        TelemetryFileError: a file cannot be read, or there is no telemetry in any of them.
    """
    paths = tuple(paths)
    offline = OfflineScout(config=config, rules=rules, limits=Limits(lateness_s=_LATENESS_S))
    seen = 0
    for at_ns, message in merged(TelemetryFile(path).messages() for path in paths):
        offline.take(at_ns, message)
        seen += 1
    if not seen:
        raise TelemetryFileError(", ".join(map(str, paths)), "holds no message: it is empty")
    offline.finish()
    return offline

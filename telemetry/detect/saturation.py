"""D5: a resource that has been at its limit for half a minute (connection pools, memory)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding, Words, finding
from telemetry.detect.lifecycle import Closing, Lifecycle
from telemetry.detect.memory import ResourceAnomaly
from telemetry.model import Detector, SeriesKey, Severity
from telemetry.state import GaugePoint, GaugeSeries, PoolPoint, PoolSeries
from telemetry.state.views import newest_before

_STALE_INTERVALS = 2.5
_STALE_MIN_S = 20
INTERVALS = 6
"""Measurements that tell how often there is one, and whether the newest is stale."""
POINTS = 64
"""Measurements over which a resource may have been full without a break."""


@dataclass(frozen=True, slots=True)
class Load:
    """One measurement: whether the resource was at its limit, and how to say so."""

    at_s: int
    full: bool
    waiting: bool
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The newest state of a resource; `since_s` is the start of the unbroken run at the limit."""

    full: bool
    waiting: bool
    since_s: int
    lasted_s: int
    words: str


def pool_loads(series: PoolSeries, now_s: int, config: DetectConfig) -> list[Load]:
    """Return the newest measurements of a pool before `now_s`.

    A pool is full at used/max ≥ 0.9 or while requests are pending.
    """
    return [_pool_load(series.pool_name, point, config) for point in newest_before(series.points, now_s, POINTS)]


def _pool_load(name: str, point: PoolPoint, config: DetectConfig) -> Load:
    used, maximum, pending = point.used, point.maximum, point.pending
    waiting = pending is not None and pending > 0
    ratio = used / maximum if used is not None and maximum else 0.0
    of = f"{used or 0:.0f} of {maximum:.0f}" if maximum else f"{used or 0:.0f}"
    words = f"pool {name}: {of} connections in use" + (f", {pending:.0f} requests waiting" if waiting else "")
    return Load(point.at_s, waiting or ratio >= config.pool_ratio, waiting, words)


def memory_loads(series: GaugeSeries, now_s: int, config: DetectConfig, count: int = POINTS) -> list[Load]:
    """Return the `count` newest measurements of a memory gauge with a known limit: full at ≥ 0.9 of it."""
    limit = series.limit
    if not limit or "memory" not in series.name:
        return []
    return [_memory_load(series.name, point, limit, config) for point in newest_before(series.points, now_s, count)]


def _memory_load(name: str, point: GaugePoint, limit: float, config: DetectConfig) -> Load:
    ratio = point.value / limit
    return Load(point.at_s, ratio >= config.memory_ratio, False, f"{name} at {100 * ratio:.0f} % of its limit")


def judge(loads: Sequence[Load], now_s: int, config: DetectConfig) -> Verdict | None:
    """Return the verdict at `now_s` on one instance's measurements, or None when they are stale.

    Stale: nothing for 2.5 export intervals (an instance that is gone says nothing about the one that runs).
    """
    if not loads or now_s - loads[-1].at_s > _stale_after_s(loads, config):
        return None
    newest = loads[-1]
    since_s, waiting = newest.at_s, False
    for load in reversed(loads):
        if not load.full:
            break
        since_s, waiting = load.at_s, waiting or load.waiting
    return Verdict(newest.full, waiting, since_s, newest.at_s - since_s, newest.words)


def _stale_after_s(loads: Sequence[Load], config: DetectConfig) -> float:
    gaps = [later.at_s - earlier.at_s for earlier, later in pairwise(loads[-INTERVALS:])]
    return max(_STALE_MIN_S, _STALE_INTERVALS * median(gaps)) if gaps else config.gauge_stale_s


def worst_verdict(verdicts: Iterable[Verdict | None]) -> Verdict | None:
    """Return the verdict of the instance that has been full for longest, None when all are stale."""
    current = [verdict for verdict in verdicts if verdict is not None]
    return max(current, key=lambda v: (v.full, v.lasted_s), default=None)


class SaturationMonitor:
    """Follows one resource of one service over all its instances."""

    def __init__(self, subject: str, config: DetectConfig) -> None:
        self._subject = subject
        self._config = config
        self.life = Lifecycle(config)
        self.verdict: Verdict | None = None
        self._words: Words | None = None

    def step(self, now_s: int, verdict: Verdict | None, closing: Closing) -> None:
        """Take in the verdict of this tick."""
        self.life.forget(now_s)
        self.verdict = verdict
        full = verdict is not None and verdict.full
        if self.life.is_open:
            self.life.observe(now_s, closing, bad=None if verdict is None else full)
        elif verdict is None or not full:
            self.life.acquit()
        else:
            self.life.suspect(verdict.since_s)
            if verdict.lasted_s >= self._config.saturated_for_s and not closing.maintenance:
                self.life.confirm(verdict.since_s, now_s)
                self._words = self._say(verdict)

    def _say(self, verdict: Verdict) -> Words:
        severity = Severity.HIGH if verdict.waiting else Severity.MEDIUM
        reason = f"At its limit for {verdict.lasted_s} s: {verdict.words}."
        return Words(Detector.SATURATION, severity, reason, self._subject)

    def finding(self, key: SeriesKey) -> Finding | None:
        """Return the finding on the resource, told under the series `key` of its service."""
        if self.life.state is None:
            return None
        full = self.verdict is not None and self.verdict.full
        words = self._words or Words(Detector.SATURATION, Severity.LOW, "Near its limit.", self._subject)
        if not self.life.is_open and self.verdict is not None and full:
            words = self._say(self.verdict)
        return finding(key, self.life, words, bad_now=full)

    def dump(self, key: SeriesKey) -> ResourceAnomaly | None:
        """Return the anomaly of the resource, told under `key`, None when it has none."""
        life = self.life.dump()
        return None if life is None else ResourceAnomaly(key.service, self._subject, key.operation, life, self._words)

    def load(self, memory: ResourceAnomaly) -> None:
        """Take over what `dump` returned."""
        self.life.load(memory.life)
        self._words = memory.words

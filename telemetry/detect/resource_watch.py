"""The watch over every resource of an environment that can be full now: connection pools and memory."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.detect.lifecycle import Closing
from telemetry.detect.memory import ResourceAnomaly
from telemetry.detect.saturation import (
    INTERVALS,
    POINTS,
    SaturationMonitor,
    Verdict,
    judge,
    memory_loads,
    pool_loads,
    worst_verdict,
)
from telemetry.model import SeriesKey
from telemetry.state import Newest, TelemetryState

Name = tuple[str, str]
"""Service and resource."""
KeyOf = Callable[[str, str], SeriesKey]


class ResourceWatch:
    """Looks at the newest points of each gauge at every tick; at more of them only while it is full."""

    def __init__(self, tenant: str, environment: str, state: TelemetryState, config: DetectConfig) -> None:
        self._place = (tenant, environment)
        self._state = state
        self._config = config
        self._monitors: dict[Name, SaturationMonitor] = {}
        self._keys: dict[Name, SeriesKey] = {}

    def advance(self, now_s: int, services: AbstractSet[str], closing_of: Callable[[str], Closing]) -> None:
        """Take in the tick that ends at `now_s`; memory counts for the `services` that have a series."""
        verdicts: dict[Name, list[Verdict | None]] = {}
        for name, verdict in (*self._pools(now_s), *self._memory(now_s, services)):
            verdicts.setdefault(name, []).append(verdict)
        for name in verdicts.keys() | self._monitors.keys():
            monitor = self._monitors.setdefault(name, SaturationMonitor(name[1], self._config))
            monitor.step(now_s, worst_verdict(verdicts.get(name, ())), closing_of(name[0]))

    def _pools(self, now_s: int) -> list[tuple[Name, Verdict | None]]:
        found = self._judged_pools(now_s, INTERVALS)
        is_any_full = any(verdict is not None and verdict.full for _, verdict in found)
        return self._judged_pools(now_s, POINTS) if is_any_full else found

    def _judged_pools(self, now_s: int, count: int) -> list[tuple[Name, Verdict | None]]:
        config = self._config
        pools = self._state.pools(*self._place, newest=Newest(now_s, count))
        return [
            ((pool.service, f"pool {pool.pool_name}"), judge(pool_loads(pool, now_s, config), now_s, config))
            for pool in pools
        ]

    def _memory(self, now_s: int, services: AbstractSet[str]) -> Iterator[tuple[Name, Verdict | None]]:
        for gauge in self._state.gauges(*self._place, wanted=_is_of_memory):
            if gauge.service in services:
                loads = memory_loads(gauge, now_s, self._config, INTERVALS)
                if loads and loads[-1].full:
                    loads = memory_loads(gauge, now_s, self._config)
                if loads:
                    yield (gauge.service, gauge.name), judge(loads, now_s, self._config)

    def is_full(self, service: str) -> bool:
        """Return whether a resource of the service is at its limit now."""
        monitors = [m for (owner, _), m in self._monitors.items() if owner == service]
        return any(m.verdict is not None and m.verdict.full for m in monitors)

    def findings(self, key_of: KeyOf) -> Iterator[Finding]:
        """Yield all findings; each keeps the series key that `key_of` (service, subject) first gave it."""
        for name, monitor in self._monitors.items():
            if monitor.life.state is None:
                self._keys.pop(name, None)
                continue
            told = monitor.finding(self._keys.get(name) or self._keys.setdefault(name, key_of(*name)))
            if told is not None:
                yield told

    def dump_anomalies(self, key_of: KeyOf) -> list[ResourceAnomaly]:
        """Return every anomaly that is open or may flap."""
        found = (
            monitor.dump(self._keys.get(name) or key_of(*name))
            for name, monitor in self._monitors.items()
            if monitor.life.state is not None
        )
        return [memory for memory in found if memory is not None]

    def load_anomalies(self, anomalies: Iterable[tuple[SeriesKey, ResourceAnomaly]]) -> None:
        """Take over what `dump_anomalies` returned, by the series under which each was told."""
        for key, memory in anomalies:
            name = (memory.service, memory.subject)
            monitor = self._monitors[name] = SaturationMonitor(memory.subject, self._config)
            monitor.load(memory)
            self._keys[name] = key


def _is_of_memory(name: str) -> bool:
    return "memory" in name

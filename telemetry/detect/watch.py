"""The watch over one tenant's environment: every detector on every series, resource and signature, tick by tick."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from telemetry.detect import severity
from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding, Words, finding
from telemetry.detect.gauge_watch import GaugeWatch
from telemetry.detect.lifecycle import Closing
from telemetry.detect.memory import KEPT_S, AnomalyMemory, SeriesMemory
from telemetry.detect.novelty import NoveltyMonitor
from telemetry.detect.objectives import ObjectiveWatch
from telemetry.detect.saturation import (
    SaturationMonitor,
    Verdict,
    judge,
    memory_loads,
    pool_loads,
    worst_verdict,
)
from telemetry.detect.series import SeriesMonitor
from telemetry.detect.traffic_watch import TrafficWatch
from telemetry.model import Detector, SeriesKey
from telemetry.rules import Slo
from telemetry.state import Cell, GaugeSeries, TelemetryState

ClosingOf = Callable[[str], Closing]
"""When the anomalies of a service may close."""

_BUSY_OVER_S = 300
_SILENT_MAX = 5_000
_SILENT_WINDOWS = 600
_DUMPED_MAX = 25_000


class Watch:
    """Runs the detectors of one (tenant, environment) in event time."""

    def __init__(
        self, tenant: str, environment: str, state: TelemetryState, config: DetectConfig, slos: Sequence[Slo] = ()
    ) -> None:
        self.tenant = tenant
        self.environment = environment
        self._state = state
        self._config = config
        self._series: dict[SeriesKey, SeriesMonitor] = {}
        self._silent: dict[SeriesKey, SeriesMemory] = {}
        """What was normal for series that send nothing now: they may come back within a week."""
        self._resources: dict[tuple[str, str], SaturationMonitor] = {}
        self._signatures: dict[str, tuple[SeriesKey, NoveltyMonitor]] = {}
        self._resource_keys: dict[tuple[str, str], SeriesKey] = {}
        self.objectives = ObjectiveWatch(slos, config)
        self.traffic = TrafficWatch(config)
        self._gauges = GaugeWatch(config)
        self._first_s: int | None = None
        self._now_s = 0

    def advance(self, start_s: int, keys: Sequence[SeriesKey], closing_of: ClosingOf) -> None:
        """Take in the tick that starts at `start_s`; `keys` are the series of this tenant and environment."""
        self._first_s = start_s if self._first_s is None else self._first_s
        self._now_s = start_s + self._config.tick_s
        self._advance_series(start_s, keys, closing_of)
        self._advance_resources(closing_of)
        if self._gauges.is_due(self._now_s):
            self._gauges.advance(self._now_s, self._all_gauges(), closing_of)
        self._advance_signatures(closing_of)

    def _advance_series(self, start_s: int, keys: Sequence[SeriesKey], closing_of: ClosingOf) -> None:
        per_service: dict[str, int] = {}
        for key in keys:
            per_service[key.service] = per_service.get(key.service, 0) + 1
        cells: dict[SeriesKey, Cell | None] = {}
        for key in keys:
            cells[key] = next(iter(self._state.cells(key, start_s, self._now_s)), None)
            self.monitor(key).step(start_s, cells[key], per_service[key.service], closing_of(key.service))
        self.objectives.advance(start_s, cells, closing_of)
        self.traffic.advance(start_s, cells, closing_of)
        gone = self._series.keys() - set(keys)
        for key in [k for k in gone if not self._series[k].is_open]:
            self._silent[key] = self._series.pop(key).dump(self._now_s, _SILENT_WINDOWS)
            if len(self._silent) > _SILENT_MAX:
                del self._silent[next(iter(self._silent))]

    def monitor(self, key: SeriesKey) -> SeriesMonitor:
        """Return the monitor of a series; a new one knows what was normal before the series fell silent."""
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = SeriesMonitor(key, self._config)
            memory = self._silent.pop(key, None)
            if memory is not None and self._now_s - memory.learned_s <= KEPT_S:
                found.load(memory)
        return found

    @property
    def services(self) -> frozenset[str]:
        """The services with a series."""
        return frozenset(key.service for key in self._series)

    def peek(self, key: SeriesKey) -> SeriesMonitor | None:
        """Return the monitor of a series if it is watched, or was."""
        return self.monitor(key) if key in self._silent else self._series.get(key)

    def _advance_resources(self, closing_of: ClosingOf) -> None:
        verdicts: dict[tuple[str, str], list[Verdict | None]] = {}
        for name, verdict in self._verdicts():
            verdicts.setdefault(name, []).append(verdict)
        for name in verdicts.keys() | self._resources.keys():
            monitor = self._resources.setdefault(name, SaturationMonitor(name[1], self._config))
            monitor.step(self._now_s, worst_verdict(verdicts.get(name, ())), closing_of(name[0]))

    def _verdicts(self) -> Iterator[tuple[tuple[str, str], Verdict | None]]:
        for pool in self._state.pools(self.tenant, self.environment):
            loads = pool_loads(pool, self._now_s, self._config)
            yield (pool.service, f"pool {pool.pool_name}"), judge(loads, self._now_s, self._config)
        for gauge in self._all_gauges():
            loads = memory_loads(gauge, self._now_s, self._config)
            if loads:
                yield (gauge.service, gauge.name), judge(loads, self._now_s, self._config)

    def _all_gauges(self) -> Iterator[GaugeSeries]:
        for service in sorted({key.service for key in self._series}):
            yield from self._state.gauges(self.tenant, self.environment, service)

    def _advance_signatures(self, closing_of: ClosingOf) -> None:
        """New is what was first seen lately, but after a while of watching: older errors are not news."""
        config = self._config
        oldest_s = max((self._first_s or 0) + config.signature_quiet_s, self._now_s - config.signature_new_s)
        since_s = self._now_s - config.signature_window_s
        hit = {s.hash: s for s in self._state.signatures(self.tenant, self.environment, since_s)}
        for stats in hit.values():
            if oldest_s <= stats.first_seen_s < self._now_s and stats.hash not in self._signatures:
                key = self._key_for(stats.service, stats.operation)
                self._signatures[stats.hash] = (key, NoveltyMonitor(stats.first_seen_s, config))
        for name, (key, monitor) in list(self._signatures.items()):
            monitor.step(self._now_s, hit.get(name), closing_of(key.service))
            if monitor.life.state is None and name not in hit and self._now_s - monitor.born_s > config.signature_new_s:
                del self._signatures[name]

    def _key_for(self, service: str, operation: str) -> SeriesKey:
        """Return the series under which a finding on a service is told: its own, else its busiest one."""
        key = self.key(service, operation)
        mine = sorted((k for k in self._series if k.service == service), key=lambda k: k.operation)
        if key in self._series or not mine:
            return key
        start_s = self._now_s - _BUSY_OVER_S
        return max(mine, key=lambda k: self._state.red(k, start_s, self._now_s).requests)

    def key(self, service: str, operation: str) -> SeriesKey:
        """Return the key of a series of this environment."""
        return SeriesKey(tenant=self.tenant, environment=self.environment, service=service, operation=operation)

    def saturated(self, service: str) -> bool:
        """Return whether a resource of the service is at its limit now."""
        monitors = [m for (owner, _), m in self._resources.items() if owner == service]
        return any(m.verdict is not None and m.verdict.full for m in monitors)

    def findings(self) -> list[Finding]:
        """Return all that is suspect, confirmed, or closed and may flap, ordered by onset and series."""
        found = [f for monitor in self._series.values() for f in _series_findings(monitor)]
        for name, resource in self._resources.items():
            if resource.life.state is None:
                self._resource_keys.pop(name, None)
                continue
            key = self._resource_keys.setdefault(name, self._key_for(*name))
            told = resource.finding(key)
            found += [told] if told else []
        for key, novelty in self._signatures.values():
            told = novelty.finding(key, self._now_s)
            found += [told] if told else []
        found += self.objectives.findings(self._key_for)
        found += self.traffic.findings()
        found += self._gauges.findings(self._key_for)
        return sorted(found, key=lambda f: (f.onset_s, f.key.service, f.key.operation, f.detector, f.id))

    @property
    def series(self) -> int:
        """How many series have a baseline, silent ones included."""
        return len(self._series) + len(self._silent)

    def dump(self, windows_max: int) -> list[SeriesMemory]:
        """Return what is normal for every series, with at most `windows_max` windows of each kind."""
        live = [monitor.dump(self._now_s, windows_max) for monitor in self._series.values()]
        return [*self._silent.values(), *live][-_DUMPED_MAX:]

    def load(self, series: Iterable[SeriesMemory]) -> None:
        """Take over what `dump` returned; it is used when a series sends again. Raises ValueError when damaged."""
        for memory in series:
            key = self.key(memory.service, memory.operation)
            SeriesMonitor(key, self._config).load(memory)
            self._silent[key] = memory

    def dump_anomalies(self) -> AnomalyMemory:
        """Return every anomaly that is open or may flap."""
        series = (monitor.dump_anomalies() for monitor in self._series.values())
        resources = (m.dump(self._resource_keys.get(n) or self._key_for(*n)) for n, m in self._resources.items())
        return AnomalyMemory(
            self._first_s,
            [memory for memory in series if memory is not None],
            [memory for memory in resources if memory is not None],
            [monitor.dump(name, key) for name, (key, monitor) in self._signatures.items()],
            self.objectives.dump_anomalies(),
            self.traffic.dump_anomalies(),
            self._gauges.dump_anomalies(),
        )

    def load_anomalies(self, memory: AnomalyMemory) -> None:
        """Take over what `dump_anomalies` returned, after `load`."""
        self._first_s = memory.first_s
        for series in memory.series:
            self.monitor(self.key(series.service, series.operation)).load_anomalies(series)
        for resource in memory.resources:
            name = (resource.service, resource.subject)
            monitor = self._resources[name] = SaturationMonitor(resource.subject, self._config)
            monitor.load(resource)
            self._resource_keys[name] = self.key(resource.service, resource.operation)
        for signature in memory.signatures:
            novelty = NoveltyMonitor(signature.born_s, self._config)
            novelty.load(signature)
            self._signatures[signature.hash] = (self.key(signature.service, signature.operation), novelty)
        for watch, anomalies in (
            (self.objectives, memory.objectives),
            (self.traffic, memory.traffic),
            (self._gauges, memory.forecasts),
        ):
            watch.load_anomalies((self.key(each.service, each.operation), each) for each in anomalies)


def _series_findings(monitor: SeriesMonitor) -> Iterator[Finding]:
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

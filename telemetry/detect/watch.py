"""The watch over one tenant's environment: every detector on every series, resource and signature, tick by tick."""

from collections.abc import Callable, Iterable, Sequence

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.detect.gauge_watch import GaugeWatch
from telemetry.detect.lifecycle import Closing
from telemetry.detect.memory import AnomalyMemory, SeriesMemory
from telemetry.detect.novelty import NoveltyMonitor
from telemetry.detect.objectives import ObjectiveWatch
from telemetry.detect.resource_watch import ResourceWatch
from telemetry.detect.series import SeriesMonitor
from telemetry.detect.series_watch import SLICE, SeriesWatch
from telemetry.detect.traffic_watch import TrafficWatch
from telemetry.model import SeriesKey
from telemetry.rules import Slo
from telemetry.state import GaugeSeries, Series, TelemetryState
from telemetry.steps import Steps

ClosingOf = Callable[[str], Closing]
"""When the anomalies of a service may close."""

_BUSY_OVER_S = 300


class Watch:
    """Runs the detectors of one (tenant, environment) in event time."""

    def __init__(
        self, tenant: str, environment: str, state: TelemetryState, config: DetectConfig, slos: Sequence[Slo] = ()
    ) -> None:
        self.tenant = tenant
        self.environment = environment
        self._state = state
        self._config = config
        self._series = SeriesWatch(config)
        self._resources = ResourceWatch(tenant, environment, state, config)
        self._signatures: dict[str, tuple[SeriesKey, NoveltyMonitor]] = {}
        self.objectives = ObjectiveWatch(slos, config)
        self.traffic = TrafficWatch(config)
        self._gauges = GaugeWatch(config)
        self._first_s: int | None = None
        self._now_s = 0

    def advance(self, start_s: int, series: Sequence[Series], closing_of: ClosingOf) -> Steps[None]:
        """Take in the tick that starts at `start_s`; `series` are those of this tenant and environment."""
        self._first_s = start_s if self._first_s is None else self._first_s
        self._now_s = start_s + self._config.tick_s
        yield from self._series.follow(series, self._now_s)
        yield from self.traffic.follow(series)
        cells = yield from self._series.advance(start_s, closing_of)
        self.objectives.advance(start_s, zip((each.key for each in series), cells, strict=True), closing_of)
        yield from self.traffic.advance(start_s, cells, closing_of)
        self._resources.advance(self._now_s, self.services, closing_of)
        yield
        if self._gauges.is_due(self._now_s):
            yield from self._gauges.steps(self._now_s, self._all_gauges(), closing_of)
        yield from self._advance_signatures(closing_of)

    @property
    def services(self) -> frozenset[str]:
        """The services with a series."""
        return self._series.services

    def peek(self, key: SeriesKey) -> SeriesMonitor | None:
        """Return the monitor of a series if it is watched, or was."""
        return self._series.peek(key, self._now_s)

    def _all_gauges(self) -> list[GaugeSeries]:
        gauges = self._state.gauges(self.tenant, self.environment)
        return [gauge for gauge in gauges if gauge.service in self.services]

    def _advance_signatures(self, closing_of: ClosingOf) -> Steps[None]:
        """New is what was first seen lately, but after a while of watching: older errors are not news."""
        config = self._config
        oldest_s = max((self._first_s or 0) + config.signature_quiet_s, self._now_s - config.signature_new_s)
        since_s = self._now_s - config.signature_window_s
        hit = {s.hash: s for s in self._state.signatures(self.tenant, self.environment, since_s)}
        for number, stats in enumerate(hit.values(), 1):
            if number % SLICE == 0:
                yield
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
        mine = self._series.of(service)
        if key in self._series or not mine:
            return key
        start_s = self._now_s - _BUSY_OVER_S
        return max(mine, key=lambda k: self._state.red(k, start_s, self._now_s).requests)

    def key(self, service: str, operation: str) -> SeriesKey:
        """Return the key of a series of this environment."""
        return SeriesKey(tenant=self.tenant, environment=self.environment, service=service, operation=operation)

    def saturated(self, service: str) -> bool:
        """Return whether a resource of the service is at its limit now."""
        return self._resources.is_full(service)

    def findings(self) -> list[Finding]:
        """Return all that is suspect, confirmed, or closed and may flap, ordered by onset and series."""
        found = list(self._series.findings())
        found += self._resources.findings(self._key_for)
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
        return len(self._series)

    def dump(self, windows_max: int) -> Steps[list[SeriesMemory]]:
        """Return what is normal for every series, with at most `windows_max` windows of each kind."""
        return (yield from self._series.dump(self._now_s, windows_max))

    def load(self, series: Iterable[SeriesMemory]) -> None:
        """Take over what `dump` returned; it is used when a series sends again. Raises ValueError when damaged."""
        self._series.load((self.key(memory.service, memory.operation), memory) for memory in series)

    def dump_anomalies(self) -> AnomalyMemory:
        """Return every anomaly that is open or may flap."""
        return AnomalyMemory(
            self._first_s,
            self._series.dump_anomalies(),
            self._resources.dump_anomalies(self._key_for),
            [monitor.dump(name, key) for name, (key, monitor) in self._signatures.items()],
            self.objectives.dump_anomalies(),
            self.traffic.dump_anomalies(),
            self._gauges.dump_anomalies(),
        )

    def load_anomalies(self, memory: AnomalyMemory) -> None:
        """Take over what `dump_anomalies` returned, after `load`."""
        self._first_s = memory.first_s
        self._series.load_anomalies(((self.key(m.service, m.operation), m) for m in memory.series), self._now_s)
        self._resources.load_anomalies((self.key(m.service, m.operation), m) for m in memory.resources)
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

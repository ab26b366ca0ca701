"""One tenant's environment under watch: detection, grouping, and the signals that follow."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache

from telemetry.detect import Closing, DetectConfig, Finding, Watch
from telemetry.detect.finding import at
from telemetry.detect.watch import ClosingOf
from telemetry.evidence import build
from telemetry.graph import Graph
from telemetry.group import Group, Grouper, Release
from telemetry.memory.model import IncidentPlace, NormalPlace
from telemetry.model import AnomalyState, GroupStatus, RevisionSeen, Signal, utc
from telemetry.root import group_severity, root_candidate
from telemetry.rules import ScoutConfig
from telemetry.shared import shared_callee
from telemetry.state import TelemetryState
from telemetry.steps import Steps

_GROUPS_KEPT = 1_000
_SIGNALS_KEPT = 32


class EnvironmentScout:
    """Scout for one (tenant, environment); ticks come in event time, in order, each once."""

    def __init__(
        self, tenant: str, environment: str, state: TelemetryState, config: DetectConfig, rules: ScoutConfig
    ) -> None:
        self.watch = Watch(tenant, environment, state, config, rules.slos_in(tenant, environment))
        self._rules = rules
        self._tenant = tenant
        self._environment = environment
        self._state = state
        self._config = config
        self._grouper = Grouper(config)
        self._signals: dict[str, Signal] = {}

    def advance(self, start_s: int, wall_s: float) -> Steps[list[Signal]]:
        """Take in the tick that starts at `start_s` and return the signals due after it."""
        now_s = start_s + self._config.tick_s
        series = self._state.series.in_place((self._tenant, self._environment))
        yield from self.watch.advance(start_s, series, self._closing_of(start_s, now_s))
        yield
        findings = self.watch.findings()
        graph = cache(lambda: Graph(self._state.edges(self._tenant, self._environment)))  # few ticks need it
        due = self._grouper.update(findings, now_s, lambda services: self._near(graph(), services), self._released)
        for group in self._grouper.groups:
            if not group.revisions:
                group.revisions = self._releases(self._near(graph(), group.services), now_s)
        signals: list[Signal] = []
        for group in due:
            yield
            signals.append((yield from self._signal(group, graph(), findings, now_s, wall_s)))
        known = {group.id for group in self._grouper.groups}
        self._signals = {name: kept for name, kept in self._signals.items() if name in known}
        return signals

    def _near(self, graph: Graph, services: Iterable[str]) -> frozenset[str]:
        return graph.near(services, self._config.group_hops)

    def _released(self, finding: Finding) -> bool:
        """Return whether a finding began within `version_near_s` after another version of its service came."""
        later = self.versions(finding.key.service)[1:]
        began = at(finding.onset_s + self._config.tick_s)
        near = timedelta(seconds=self._config.version_near_s)
        return any(timedelta() <= began - seen.first_seen <= near for seen in later)

    def _closing_of(self, start_s: int, now_s: int) -> ClosingOf:
        closings = self._closings(now_s)
        usual = Closing(self._config.close_after_s)

        @cache
        def closing_of(service: str) -> Closing:
            closing = closings.get(service, usual)
            planned = self._rules.in_maintenance(self._tenant, self._environment, service, at(start_s))
            return replace(closing, maintenance=True) if planned else closing

        return closing_of

    def _closings(self, now_s: int) -> dict[str, Closing]:
        """Return by service when to close: sooner once a group's services run another version than at its start."""
        sooner = Closing(self._config.close_after_deploy_s, deployed=True)
        return {
            service: sooner
            for group in self._grouper.groups
            if group.is_open and self._deployed_since(group, now_s)
            for service in group.services
        }

    def _deployed_since(self, group: Group, now_s: int) -> bool:
        return any(self._release(service, now_s) != release for service, release in group.revisions.items())

    def _releases(self, services: Iterable[str], now_s: int) -> dict[str, Release]:
        return {service: self._release(service, now_s) for service in sorted(services)}

    def _release(self, service: str, now_s: int) -> Release:
        """Return the version and revision that a service runs, as far as telemetry has shown."""
        now = at(now_s)
        seen = [r for r in self._state.versions(self._tenant, self._environment, service) if r.first_seen <= now]
        current = max(seen, key=lambda r: (min(r.last_seen, now), r.first_seen), default=None)
        return (None, None) if current is None else (current.version, current.revision)

    def _signal(
        self, group: Group, graph: Graph, findings: Sequence[Finding], now_s: int, wall_s: float
    ) -> Steps[Signal]:
        members = group.ordered()
        leaves = self._state.error_leaves(self._tenant, self._environment, group.onset_s, now_s)
        voting = [*members, *self._suspects(group, findings, self._near(graph, group.services))]
        yield
        shared = shared_callee(self._state, voting, group.onset_s, now_s, self._config)
        yield
        root = shared or root_candidate(voting, graph, leaves, self._config.group_hops) or members[0].key
        group.detected_s = wall_s if group.detected_s is None else group.detected_s
        told = group.told(root.service, self._config.anomalies_max)
        yield
        evidence = yield from build(self._state, group, root, now_s, self._quiet_since_s(group), self._config)
        signal = Signal(
            group_id=group.id,
            sequence=group.sequence,
            tenant=self._tenant,
            environment=self._environment,
            root_service=root.service,
            root_operation=root.operation,
            severity=group_severity(members, graph, self.watch.services, self._config),
            onset=at(group.onset_s),
            detected=utc(round(group.detected_s * 1_000_000) * 1000),
            anomalies=tuple(member.anomaly() for member in told),
            more_anomalies=len(members) - len(told),
            evidence=evidence,
        )
        self._signals[group.id] = signal
        return signal

    def _suspects(self, group: Group, findings: Sequence[Finding], near: frozenset[str]) -> list[Finding]:
        """Return the suspicions near a group: they are not told, but may point to its root."""
        suspects = [f for f in findings if f.state is AnomalyState.SUSPECT and f.key.service in near]
        return [f for f in suspects if abs(f.onset_s - group.onset_s) <= self._config.group_within_s]

    def _quiet_since_s(self, group: Group) -> int:
        """Return when the last incident before this one had ended, 0 without one."""
        ends = (other.last_bad_s for other in self._grouper.groups if other is not group and not other.is_open)
        return max((end for end in ends if end <= group.onset_s), default=0)

    def dump(self, windows_max: int) -> Steps[NormalPlace]:
        """Return what is normal here, with at most `windows_max` windows of a series' history."""
        series = yield from self.watch.dump(windows_max)
        traffic = yield from self.watch.traffic.dump()
        return NormalPlace(self._tenant, self._environment, series, self.watch.objectives.dump(), traffic)

    def load(self, memory: NormalPlace) -> None:
        """Take over what `dump` returned. Raises ValueError when it is damaged."""
        self.watch.load(memory.series)
        self.watch.objectives.load(memory.objectives)
        self.watch.traffic.load((self.watch.key(m.service, m.operation), m) for m in memory.traffic)

    def dump_incidents(self) -> IncidentPlace:
        """Return the anomalies and groups of now; of the signals those of open groups, the newest if there are many."""
        groups = list(self._grouper.groups[-_GROUPS_KEPT:])
        signals = [self._signals[g.id] for g in groups if g.is_open and g.id in self._signals]
        anomalies = self.watch.dump_anomalies()
        return IncidentPlace(self._tenant, self._environment, anomalies, groups, signals[-_SIGNALS_KEPT:])

    def load_incidents(self, memory: IncidentPlace) -> None:
        """Take over what `dump_incidents` returned, after the watch has its baselines."""
        self.watch.load_anomalies(memory.anomalies)
        self._grouper.load(memory.groups, {finding.id for finding in self.watch.findings()})
        self._signals = {signal.group_id: signal for signal in memory.signals}

    def group(self, group_id: str) -> GroupStatus | None:
        """Return where a group stands now, None when it is not known."""
        for group in self._grouper.groups:
            if group.id == group_id:
                anomalies = tuple(member.anomaly() for member in group.ordered())
                return GroupStatus(group_id=group.id, open=group.is_open, anomalies=anomalies)
        return None

    def signals(self, service: str) -> list[Signal]:
        """Return the latest signal of every open group with an anomaly on a service."""
        groups = [g for g in self._grouper.groups if g.is_open and service in g.services]
        return [self._signals[g.id] for g in groups if g.id in self._signals]

    def versions(self, service: str) -> tuple[RevisionSeen, ...]:
        """Return the versions of a service, oldest first."""
        return tuple(self._state.versions(self._tenant, self._environment, service))

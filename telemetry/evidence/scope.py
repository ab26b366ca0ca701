"""What evidence is gathered about: which services, and which two stretches of time are compared."""

from collections.abc import Iterable
from dataclasses import dataclass

from telemetry.detect import DetectConfig
from telemetry.detect.finding import at
from telemetry.graph import Graph
from telemetry.group import Group
from telemetry.model import SeriesKey, Stretch
from telemetry.state import TelemetryState

_NORMAL_MIN_S = 30
ROOT, AFFECTED, NEAR = range(3)


@dataclass(frozen=True, slots=True)
class Scope:
    """Times are Unix seconds, starts inclusive and ends exclusive. `near` holds `affected`."""

    tenant: str
    environment: str
    root: str
    affected: frozenset[str]
    broken: frozenset[SeriesKey]
    near: frozenset[str]
    normal_s: tuple[int, int]
    fault_s: tuple[int, int]

    def closeness(self, service: str) -> int:
        """Return 0 for the root, 1 for affected services, 2 for their neighbours: lower matters more."""
        if service == self.root:
            return ROOT
        return AFFECTED if service in self.affected else NEAR

    @property
    def normal(self) -> Stretch:
        """The stretch before the fault."""
        return Stretch(start=at(self.normal_s[0]), end=at(self.normal_s[1]))

    @property
    def fault(self) -> Stretch:
        """The stretch of the fault, as far as it has come."""
        return Stretch(start=at(self.fault_s[0]), end=at(self.fault_s[1]))


def scope_of(
    state: TelemetryState,
    group: Group,
    root: SeriesKey,
    now_s: int,
    quiet_since_s: int,
    config: DetectConfig,
) -> Scope:
    """Return the scope of a group's evidence.

    Normal is the last ten minutes before the onset, or what there is of them, without what came before
    `quiet_since_s` (the end of an earlier incident). The fault lasts until now, or until it stopped.
    """
    tenant, environment, affected = root.tenant, root.environment, group.services
    near = Graph(state.edges(tenant, environment)).near(affected, config.group_hops)
    onset_s = group.onset_s // config.tick_s * config.tick_s
    keys = [k for k in tuple(state.keys()) if (k.tenant, k.environment) == (tenant, environment) and k.service in near]
    earliest_s = max(onset_s - config.normal_s, min(quiet_since_s, onset_s - _NORMAL_MIN_S))
    ongoing = any(member.bad_now for member in group.members.values())
    end_s = now_s if ongoing else min(now_s, group.last_bad_s)
    return Scope(
        tenant=tenant,
        environment=environment,
        root=root.service,
        affected=affected,
        broken=frozenset(member.key for member in group.members.values()),
        near=near,
        normal_s=(_first_s(state, keys, earliest_s, onset_s), onset_s),
        fault_s=(onset_s, max(end_s, onset_s + config.tick_s)),
    )


def _first_s(state: TelemetryState, keys: Iterable[SeriesKey], start_s: int, end_s: int) -> int:
    """Return when the first request was seen in the stretch, its end when there was none."""
    cells = (state.cells(key, start_s, end_s) for key in keys)
    return min((found[0].start_s for found in cells if found), default=end_s)

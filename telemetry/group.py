"""Grouping: findings close in time and in the service graph are one incident."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from telemetry.detect import DetectConfig, Finding
from telemetry.detect.finding import digest
from telemetry.model import AnomalyState, Detector

Near = Callable[[Iterable[str]], frozenset[str]]
"""What is within the configured hops of any of some services, in either direction, they themselves included."""

Released = Callable[[Finding], bool]
"""Whether a finding began soon after another version of its service came."""

Release = tuple[str | None, str | None]
"""Version and revision."""

_CLOSED_KEPT_S = 86_400


@dataclass(slots=True)
class Group:
    """One incident as Scout sees it; times are event time in Unix seconds.

    `revisions` are those that its services and their neighbours ran when it opened, by service. `detected_s` is
    the wall-clock time of its first signal.
    """

    id: str
    opened_s: int
    members: dict[str, Finding]
    revisions: Mapping[str, Release] = field(default_factory=dict[str, Release])
    detected_s: float | None = None
    sequence: int = 0
    changed: bool = True
    closed_s: int | None = None

    @property
    def is_open(self) -> bool:
        """True until every finding has closed."""
        return self.closed_s is None

    @property
    def services(self) -> frozenset[str]:
        """The services with a finding."""
        return frozenset(member.key.service for member in self.members.values())

    @property
    def onset_s(self) -> int:
        """The earliest onset."""
        return min(member.onset_s for member in self.members.values())

    @property
    def last_bad_s(self) -> int:
        """When a window of any member was last bad."""
        return max(member.last_bad_s for member in self.members.values())

    def ordered(self) -> list[Finding]:
        """Return the findings by onset and series."""
        return sorted(self.members.values(), key=lambda f: (f.onset_s, f.key.service, f.key.operation, f.id))

    def told(self, root_service: str, limit: int) -> list[Finding]:
        """Return at most `limit` of the findings in their order: open ones before closed ones, those of the root first.

        A message that tells of thousands is taken by no broker.
        """
        ordered = self.ordered()
        first = sorted(ordered, key=lambda f: (not f.is_open, f.key.service != root_service))[:limit]
        kept = {finding.id for finding in first}
        return [finding for finding in ordered if finding.id in kept]


class _Extent:
    """Where and when a group was disturbed; kept while findings come in, because there may be thousands."""

    def __init__(self, group: Group, near: Near) -> None:
        self.services = set(group.services)
        self.around = set(near(self.services))
        self.onset_s = group.onset_s
        self.last_bad_s = group.last_bad_s

    def add(self, finding: Finding, near: Near) -> None:
        service = finding.key.service
        if service not in self.services:
            self.services.add(service)
            self.around |= near({service})
        self.onset_s = min(self.onset_s, finding.onset_s)
        self.last_bad_s = max(self.last_bad_s, finding.last_bad_s)


class Grouper:
    """Keeps the groups of one tenant's environment."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self._groups: list[Group] = []
        self._extents: dict[str, _Extent] = {}
        """Of this tick, by id of the group, as far as they were asked for."""

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, oldest first; closed ones are kept for a day."""
        return tuple(self._groups)

    def update(self, findings: Iterable[Finding], now_s: int, near: Near, released: Released) -> list[Group]:
        """Take in the findings of a tick and return the groups that a new signal is due for.

        The first signal of a group waits for `settle_s`, so that cause and symptoms arrive together; later ones
        follow a new finding, a reopened one, or the closing of all of them.
        """
        self._extents.clear()
        for finding in findings:
            if finding.state is not AnomalyState.SUSPECT:
                self._place(finding, now_s, near, released)
        for group in self._groups:
            if group.is_open and not any(member.is_open for member in group.members.values()):
                group.closed_s, group.changed = now_s, True
        self._groups = [g for g in self._groups if g.is_open or now_s - (g.closed_s or 0) < _CLOSED_KEPT_S]
        due = [g for g in self._groups if g.changed and now_s >= g.opened_s + self._config.settle_s]
        for group in due:
            group.changed, group.sequence = False, group.sequence + 1
        return due

    def load(self, groups: Iterable[Group], known: AbstractSet[str]) -> None:
        """Take over groups from before a restart; `known` are the ids of the findings that are still followed.

        An open finding that nobody follows any more would keep its group open for ever: it counts as closed.
        """
        self._groups = list(groups)
        for group in self._groups:
            for name, member in group.members.items():
                if member.is_open and name not in known:
                    group.members[name] = replace(member, state=AnomalyState.CLOSED, closed_s=member.last_bad_s)

    def _place(self, finding: Finding, now_s: int, near: Near, released: Released) -> None:
        for group in self._groups:
            known = group.members.get(finding.id)
            if known is not None:
                self._renew(group, known, finding, near)
                return
        if not finding.is_open:
            return
        group = self._related(finding, near)
        if group is not None:
            self._put(group, finding, near)
            group.changed = True
        elif finding.detector is not Detector.NEW_SIGNATURE or self._stands_alone(finding, now_s, released):
            self._groups.append(self._opened(finding, now_s))

    def _stands_alone(self, finding: Finding, now_s: int, released: Released) -> bool:
        """Return whether a new signature is an incident of its own: a new version brought it, and it still comes.

        The wait lets the errors that it belongs to open the incident, and what a restart costs pass.
        """
        confirmed_s = now_s if finding.confirmed_s is None else finding.confirmed_s
        return now_s - confirmed_s >= self._config.signature_alone_s and finding.bad_now and released(finding)

    def _renew(self, group: Group, known: Finding, finding: Finding, near: Near) -> None:
        if finding.is_open and not known.is_open:
            group.closed_s, group.changed = None, True
        if finding.is_open or known.is_open:
            self._put(group, finding, near)

    def _put(self, group: Group, finding: Finding, near: Near) -> None:
        group.members[finding.id] = finding
        extent = self._extents.get(group.id)
        if extent is not None:
            extent.add(finding, near)

    def _related(self, finding: Finding, near: Near) -> Group | None:
        """Return the first open group within two hops that was disturbed within 120 s of the onset."""
        within_s = self._config.group_within_s
        for group in self._groups:
            if not group.is_open:
                continue
            extent = self._extents.get(group.id)
            if extent is None:
                extent = self._extents[group.id] = _Extent(group, near)
            in_time = extent.onset_s - within_s <= finding.onset_s <= extent.last_bad_s + within_s
            if in_time and finding.key.service in extent.around:
                return group
        return None

    def _opened(self, finding: Finding, now_s: int) -> Group:
        key = finding.key
        parts = (key.tenant, key.environment, key.service, key.operation, finding.detector, str(finding.onset_s))
        return Group(id=digest("g", parts), opened_s=now_s, members={finding.id: finding})

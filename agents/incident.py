"""The Incident: the one state that agents pass on, stored as JSON after every step."""

from datetime import datetime

from pydantic import AwareDatetime

from agents.diagnosis import Diagnosis
from agents.errors import IllegalMoveError
from agents.plan import Approval, Decision, Plan, PullRequestRef, Remedy
from agents.stages import TERMINAL, Agent, Stage, ways_from
from agents.writes import AnyWrite, SyncComment
from telemetry.model import Frozen, Severity, Signal, SliReport

__all__ = [
    "TERMINAL",
    "Agent",
    "Clock",
    "Incident",
    "Merge",
    "Recalled",
    "RepoRef",
    "Stage",
    "TimelineEntry",
    "Verification",
]


class RepoRef(Frozen):
    """A GitHub repository and the installation through which it is reached."""

    id: int
    owner: str
    name: str
    installation_id: int

    @property
    def full_name(self) -> str:
        """Return `owner/name`."""
        return f"{self.owner}/{self.name}"


class TimelineEntry(Frozen):
    """One stage change: when, by which agent, and what it concluded, in one plain sentence."""

    at: AwareDatetime
    agent: Agent
    stage: Stage
    note: str


class Recalled(Frozen):
    """A remembered fix that is used again. `distance` is None for an exact match of the signature."""

    case_id: str
    incident_id: str
    issue: int | None
    distance: float | None


class Merge(Frozen):
    """The merge of the fix (or of its revert)."""

    sha: str
    at: AwareDatetime
    revert: bool = False


class Verification(Frozen):
    """What telemetry said after the merge, as far as it has come, and the terms it is held to."""

    window_s: int
    windows: int
    min_requests: int
    deploy_deadline: AwareDatetime
    recovery_timeout_s: int
    deployed_at: AwareDatetime | None = None
    deployed_revision: str | None = None
    reports: tuple[SliReport, ...] = ()
    healthy_windows: int = 0
    verdict: str = ""


class Clock(Frozen):
    """The moments from which TTD, TTA, TTM and TTR are counted."""

    onset: AwareDatetime
    detected: AwareDatetime
    owned: AwareDatetime | None = None
    mitigated: AwareDatetime | None = None
    resolved: AwareDatetime | None = None


class Incident(Frozen):
    """One incident. Change it with `evolve` or `move` only: they re-validate.

    `dry_run_plan` is only shown: everything that writes to a repository goes by `plan` or `revert_plan`.
    """

    id: str
    tenant: str = "default"
    environment: str = "default"
    repo: RepoRef
    issue: int | None = None
    issue_url: str | None = None
    comment_id: int | None = None
    opened_by: str = Agent.SCOUT
    title: str
    body: str = ""
    stage: Stage
    severity: Severity
    signature: str = ""
    service: str | None = None
    signal: Signal | None = None
    recalled: Recalled | None = None
    diagnosis: Diagnosis | None = None
    remedy: Remedy | None = None
    decision: Decision | None = None
    plan: Plan | None = None
    dry_run_plan: Plan | None = None
    pull_request: PullRequestRef | None = None
    approvals: tuple[Approval, ...] = ()
    merge: Merge | None = None
    verification: Verification | None = None
    revert_plan: Plan | None = None
    revert_pull_request: PullRequestRef | None = None
    clock: Clock
    timeline: tuple[TimelineEntry, ...] = ()
    wake_at: AwareDatetime | None = None
    outgoing: tuple[AnyWrite, ...] = ()
    github_calls: int = 0

    def evolve(self, **changes: object) -> "Incident":
        """Return a copy with `changes`, validated anew.

        Raises:
            pydantic.ValidationError: a change does not fit the model.
        """
        return Incident.model_validate({**{name: getattr(self, name) for name in Incident.model_fields}, **changes})

    def send(self, *writes: AnyWrite) -> "Incident":
        """Return a copy that also asks for `writes`; a write whose key is already asked for replaces it."""
        keys = {write.key for write in writes}
        kept = tuple(write for write in self.outgoing if write.key not in keys)
        return self.evolve(outgoing=(*kept, *writes))

    def move(self, stage: Stage, agent: Agent, note: str, at: datetime, **changes: object) -> "Incident":
        """Return a copy in `stage` with a timeline entry, and the sticky comment to be brought up to date.

        Raises:
            IllegalMoveError: the table of stages lists no way from this stage to that one.
        """
        entry = TimelineEntry(at=at, agent=agent, stage=stage, note=note)
        return self.enter(stage, timeline=(*self.timeline, entry), **changes).send(SyncComment())

    def enter(self, stage: Stage, **changes: object) -> "Incident":
        """Return a copy in `stage`, as `move` does but without a word about it: people have been told of it before.

        Raises:
            IllegalMoveError: the table of stages lists no way from this stage to that one.
        """
        if stage is not self.stage and stage not in ways_from(self.stage):
            raise IllegalMoveError(self.id, self.stage, stage)
        return self.evolve(stage=stage, wake_at=None, **changes)

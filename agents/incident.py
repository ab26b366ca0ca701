"""The Incident: the one state that agents pass on, stored as JSON after every step."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from agents.diagnosis import Diagnosis
from agents.plan import Approval, Decision, Plan, PullRequestRef, Remedy
from agents.writes import AnyWrite, SyncComment
from telemetry.model import Frozen, Severity, Signal, SliReport


class Stage(StrEnum):
    """What happens next: an agent's turn, a wait for somebody or something, or the end."""

    OPENING = "opening"
    OBSERVING = "observing"
    RECALLING = "recalling"
    ORIENTING = "orienting"
    DECIDING = "deciding"
    ACTING = "acting"
    PROPOSING = "proposing"
    AWAITING_INFO = "awaiting_info"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    MERGING = "merging"
    VERIFYING = "verifying"
    REVERTING = "reverting"
    LEARNING = "learning"
    EVOLVING = "evolving"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    DISMISSED = "dismissed"


class Agent(StrEnum):
    """The eight agents."""

    SCOUT = "Scout"
    CAG = "CAG"
    BRAIN = "Brain"
    GUARDRAIL = "Guardrail"
    FIXER = "Fixer"
    HUMAN = "Human"
    JULES = "Jules"
    CURATOR = "Curator"


TERMINAL = frozenset({Stage.RESOLVED, Stage.ESCALATED, Stage.DISMISSED})


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
        """Return a copy in `stage` with a timeline entry, and the sticky comment to be brought up to date."""
        entry = TimelineEntry(at=at, agent=agent, stage=stage, note=note)
        moved = self.evolve(stage=stage, timeline=(*self.timeline, entry), wake_at=None, **changes)
        return moved.send(SyncComment())

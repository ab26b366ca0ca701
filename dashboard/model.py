"""What the dashboard shows: read models, ready to be JSON."""

from pydantic import AwareDatetime

from telemetry.model import Frozen


class IncidentCard(Frozen):
    """An incident in the list. Durations are seconds since onset (TTA: since detection), None while unknown."""

    id: str
    title: str
    stage: str
    severity: str
    service: str | None
    repository: str
    issue: int | None
    issue_url: str | None
    pull_request: int | None
    pull_request_url: str | None
    from_memory: bool
    onset: AwareDatetime
    updated: AwareDatetime
    ttd_s: float | None
    tta_s: float | None
    ttm_s: float | None
    ttr_s: float | None


class Moment(Frozen):
    """One stage change of an incident."""

    at: AwareDatetime
    agent: str
    stage: str
    note: str


class ClaimView(Frozen):
    """A claim of the root-cause analysis with the ids of its evidence."""

    text: str
    evidence: tuple[str, ...]


class EvidenceLine(Frozen):
    """One item of evidence in a sentence."""

    id: str
    kind: str
    text: str


class DiagnosisView(Frozen):
    """The root-cause analysis."""

    verdict: str
    service: str
    kind: str
    summary: str
    claims: tuple[ClaimView, ...]
    suspect: str | None
    suspect_sha: str | None


class IncidentDetail(Frozen):
    """One incident with its timeline, diagnosis and plan."""

    card: IncidentCard
    timeline: tuple[Moment, ...]
    diagnosis: DiagnosisView | None
    evidence: tuple[EvidenceLine, ...]
    diff: str | None
    approvals: tuple[str, ...]
    verification: str | None
    merge_sha: str | None
    revert_pull_request: int | None
    github_calls: int


class Overview(Frozen):
    """The start of the page: newest incidents first, and the sequence number that they are as of."""

    incidents: tuple[IncidentCard, ...]
    open: int
    resolved: int
    total: int
    sequence: int


class EventRecord(Frozen):
    """One row of the event stream. `sequence` is global and only grows."""

    sequence: int
    incident_id: str
    at: AwareDatetime
    agent: str
    stage: str
    note: str

"""What the dashboard shows: read models, ready to be JSON. Text in them is untrusted."""

from pydantic import AwareDatetime

from agents.diagnosis import Candidate
from agents.incident import Recalled, Verification
from agents.plan import Decision
from dashboard.ooda import Phase
from telemetry.model import Anomaly, Frame, Frozen, RedPoint, ScoutStatus, TraceEvidence


class IncidentCard(Frozen):
    """An incident in the list. Durations are seconds since onset (TTA: since detection), None while unknown."""

    id: str
    title: str
    stage: str
    severity: str
    service: str | None
    environment: str
    repository: str
    issue: int | None
    issue_url: str | None
    pull_request: int | None
    pull_request_url: str | None
    from_memory: bool
    onset: AwareDatetime
    detected: AwareDatetime
    updated: AwareDatetime
    ttd_s: float | None
    tta_s: float | None
    ttm_s: float | None
    ttr_s: float | None


class Moment(Frozen):
    """One stage change of an incident. `verdict` is the state diagram's word for it, "" where it has none."""

    at: AwareDatetime
    agent: str
    stage: str
    note: str
    phase: Phase
    verdict: str


class ClaimView(Frozen):
    """A claim of the root-cause analysis with the ids of its evidence."""

    text: str
    evidence: tuple[str, ...]


class EvidenceLine(Frozen):
    """One item of evidence in a sentence, with its series or its stack where it has one."""

    id: str
    kind: str
    service: str
    text: str
    series: tuple[RedPoint, ...]
    frames: tuple[Frame, ...]


class DiagnosisView(Frozen):
    """The root-cause analysis. Scores of candidates compare within this ranking only."""

    verdict: str
    service: str
    kind: str
    summary: str
    claims: tuple[ClaimView, ...]
    candidates: tuple[Candidate, ...]
    suspect: str | None
    suspect_sha: str | None


class PlanView(Frozen):
    """What an approval is bound to, without the diff. `approvals_needed` is None where policy did not decide.

    Nothing was changed in a `dry_run`: the plan is what would have been proposed.
    """

    id: str
    title: str
    risk: str
    branch: str
    base_sha: str
    files: tuple[str, ...]
    expires: AwareDatetime
    approvals_needed: int | None
    permission: str | None
    dry_run: bool


class IncidentDetail(Frozen):
    """One incident with its timeline, evidence, diagnosis, plan and verification."""

    card: IncidentCard
    opened_by: str
    signature: str
    timeline: tuple[Moment, ...]
    anomalies: tuple[Anomaly, ...]
    diagnosis: DiagnosisView | None
    recalled: Recalled | None
    evidence: tuple[EvidenceLine, ...]
    evidence_dropped: int
    traces: tuple[TraceEvidence, ...]
    decision: Decision | None
    plan: PlanView | None
    diff: str | None
    approvals: tuple[str, ...]
    verification: str | None
    recovery: Verification | None
    merge_sha: str | None
    merged: AwareDatetime | None
    mitigated: AwareDatetime | None
    resolved: AwareDatetime | None
    revert_pull_request: int | None
    github_calls: int


class Overview(Frozen):
    """The start of the page: newest incidents first, and the sequence number that they are as of.

    `waiting` are those that wait for `/approve`, the longest first, at most 20 of them; `by_stage` counts all.
    """

    incidents: tuple[IncidentCard, ...]
    waiting: tuple[IncidentCard, ...]
    by_stage: dict[str, int]
    open: int
    resolved: int
    total: int
    sequence: int


class IncidentPage(Frozen):
    """A page of the list; `next` is the cursor of the page after it, None on the last one."""

    incidents: tuple[IncidentCard, ...]
    next: str | None


class Means(Frozen):
    """Incidents detected in a stretch of time and their mean times in seconds, None where none has come so far."""

    incidents: int
    resolved: int
    escalated: int
    mttd_s: float | None
    mtta_s: float | None
    mttm_s: float | None
    mttr_s: float | None


class TrendBucket(Means):
    """The means of the incidents that were detected in one bucket."""

    at: AwareDatetime


class Trend(Frozen):
    """Buckets of `bucket_s` seconds, oldest first and without gaps; the whole stretch; and the one before it."""

    since: AwareDatetime
    until: AwareDatetime
    bucket_s: int
    buckets: tuple[TrendBucket, ...]
    now: Means
    before: Means


class ScoreRow(Means):
    """How incidents with one signature went. `failure` is the signature's class, `last_id` its newest incident."""

    signature: str
    failure: str
    service: str | None
    dismissed: int
    open: int
    from_memory: int
    best_ttr_s: float | None
    worst_ttr_s: float | None
    last: AwareDatetime
    last_id: str


class Scorecard(Frozen):
    """Rows by signature over the incidents of `days`, the most frequent first; `signatures` counts all of them."""

    days: int
    signatures: int
    rows: tuple[ScoreRow, ...]


class Backlog(Frozen):
    """Rows that wait in a table, since when the oldest of them does, and those that were given up or refused."""

    pending: int
    oldest: AwareDatetime | None
    failed: int
    refused: int


class Workers(Frozen):
    """What the leases tell of the workers. `sweeper` is the one that sweeps, None when no lease is alive."""

    sweeper: str | None
    sweeper_until: AwareDatetime | None
    owners: tuple[str, ...]
    busy_lanes: int


class System(Frozen):
    """Health of Scout and the workers at `at`. Where Scout does not answer, `scout_error` says why."""

    at: AwareDatetime
    scout: ScoutStatus | None
    scout_error: str | None
    workers: Workers
    inbox: Backlog
    outbox: Backlog
    web_started: AwareDatetime
    clients: int


class EventRecord(Frozen):
    """One row of the event stream. `sequence` is global and only grows."""

    sequence: int
    incident_id: str
    at: AwareDatetime
    agent: str
    stage: str
    note: str

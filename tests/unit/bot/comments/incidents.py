"""One incident in several stages, written out by hand: what it says does not depend on any agent."""

from datetime import UTC, datetime, timedelta

from agents.diagnosis import Candidate, CauseKind, Claim, Diagnosis, SuspectChange, Verdict
from agents.incident import Agent, Clock, Incident, Merge, Recalled, Stage, TimelineEntry, Verification
from agents.plan import (
    Approval,
    Decision,
    FileEdit,
    Outcome,
    Plan,
    PullRequestRef,
    RaiseLimit,
    RevertCommit,
    Risk,
)
from agents.testing.builders import (
    ONSET,
    anomaly,
    bundle,
    error_signature,
    incident,
    metric,
    red,
    signal,
    span,
    summary,
    trace,
    version,
)
from telemetry.model import Detector, Health, SeriesKey, SliReport, SliWindow

QUOTE = "GET /quote/{sku}"
HEAD = "c0ffee0123456789c0ffee0123456789c0ffee01"
MERGED = "feed0123456789feed0123456789feed01234567"
BAD = "bad0123456789bad0123456789bad0123456789b"
DIFF = """\
--- a/services/quote/settings.yaml
+++ b/services/quote/settings.yaml
@@ -1,3 +1,3 @@
 database:
-  pool_size: 2
+  pool_size: 4
   pool_timeout_s: 0.25
"""


def at(seconds: float) -> datetime:
    """Return the time so long after the onset."""
    return ONSET + timedelta(seconds=seconds)


EVIDENCE = bundle(
    red("quote", QUOTE, summary(3600, 0, 256), summary(2400, 1080, 620)),
    error_signature(
        "quote", QUOTE, "sqlalchemy.exc.TimeoutError", "QueuePool limit reached", (("services/quote/store.py", "find"),)
    ),
    metric("quote", "db.client.connection.count", 0.4, 2, limit=2, attributes={"db.client.connection.state": "used"}),
    version("pricing", HEAD, None),
    trace(
        "error",
        span(1, None, "gateway", QUOTE, "SERVER", 260, 3, error=""),
        span(2, 1, "quote", QUOTE, "SERVER", 255, 250, error="TimeoutError: no connection"),
        span(3, 2, "quote", "connect", "CLIENT", 5, 5).model_copy(update={"note": "sqlite"}),
    ),
    trace(
        "slow",
        span(1, None, "quote", QUOTE, "SERVER", 900, 100),
        span(2, 1, "pricing", "GET /price/{sku}", "SERVER", 800, 800).model_copy(update={"note": "tax"}),
    ),
)
SIGNAL = signal(
    EVIDENCE,
    anomaly("quote", QUOTE, Detector.ERRORS, "45 % of requests failed, 0 % before"),
    anomaly("quote", QUOTE, Detector.SATURATION, "the pool is used to 100 %", onset=at(2)),
)
FULL = Claim(text="the pool of quote uses 2 of 2 connections", evidence=("E3",))
DIAGNOSIS = Diagnosis(
    verdict=Verdict.LIKELY,
    service="quote",
    operation=QUOTE,
    kind=CauseKind.DB_POOL_EXHAUSTION,
    summary="quote runs out of database connections.",
    claims=(Claim(text="quote got no connection in time 40 times", evidence=("E2",)), FULL),
    candidates=(
        Candidate(service="quote", operation=QUOTE, kind=CauseKind.DB_POOL_EXHAUSTION, score=0.91, speaks_for=(FULL,)),
        Candidate(service="gateway", operation=None, kind=CauseKind.UNKNOWN, score=0.1, speaks_against=(FULL,)),
    ),
)
REMEDY = RaiseLimit(
    service="quote",
    knob="database pool",
    file="services/quote/settings.yaml",
    path="database.pool_size",
    current=2,
    target=4,
    maximum=20,
)
DECISION = Decision(
    rule="policy",
    outcome=Outcome.REQUIRE_APPROVAL,
    reason="The risk is low: 1 person must approve.",
    approvals_needed=1,
    permission="write",
    children=(Decision(rule="autonomy", outcome=Outcome.ALLOW, reason="The autonomy is approve."),),
)
PLAN = Plan(
    id="3f9a2c81d07e",
    remedy=REMEDY,
    risk=Risk.LOW,
    base_ref="main",
    base_sha="0" * 40,
    branch="sre-space/inc-1/3f9a2c81d07e",
    edits=(FileEdit(path=REMEDY.file, blob_sha="1" * 40, content="database:\n"),),
    diff=DIFF,
    title="Raise database pool of quote from 2 to 4",
    config_sha="2" * 40,
    policy_version="1",
    expires_at=datetime(2026, 3, 3, 9, 31, tzinfo=UTC),
)
SUSPECT = SuspectChange(
    sha=BAD,
    title="Take the discount from a table",
    author="dana",
    path="services/quote/discounts.py",
    reason="it touches the line that raises",
    pull_request=12,
)
UNDO = PLAN.model_copy(
    update={
        "id": "91bb02c7aa10",
        "remedy": RevertCommit(service="quote", sha=MERGED, title=PLAN.title),
        "title": f'Revert "{PLAN.title}"',
        "diff": DIFF.replace("2\n+  pool_size: 4", "4\n+  pool_size: 2"),
    }
)
REVERT = RevertCommit(service="quote", sha=BAD, title=SUSPECT.title)


def _entry(seconds: float, agent: Agent, stage: Stage, note: str) -> TimelineEntry:
    return TimelineEntry(at=at(seconds), agent=agent, stage=stage, note=note)


OPENED = _entry(16, Agent.SCOUT, Stage.OPENING, "45 % of requests failed")
WAITING = _entry(40, Agent.FIXER, Stage.AWAITING_APPROVAL, "The pull request waits for approval.")


def wide() -> Incident:
    """Return an incident with more anomalies than a signal tells of."""
    return waiting().evolve(signal=SIGNAL.model_copy(update={"more_anomalies": 1_198}))


def waiting(**changes: object) -> Incident:
    """Return the incident with its fix proposed."""
    made = incident(
        SIGNAL,
        Stage.AWAITING_APPROVAL,
        title="quote: 45 % of GET /quote/{sku} requests fail",
        diagnosis=DIAGNOSIS,
        remedy=REMEDY,
        decision=DECISION,
        plan=PLAN,
        pull_request=PullRequestRef(number=8, url="https://github.example/acme/shop/pull/8", head_sha=HEAD),
        clock=Clock(onset=ONSET, detected=at(15), owned=at(17)),
        timeline=(OPENED, WAITING),
    )
    return made.evolve(**changes)


def proposing() -> Incident:
    """Return the incident before its pull request exists."""
    return waiting(stage=Stage.PROPOSING, pull_request=None)


def high_risk() -> Incident:
    """Return a revert from memory that two people must approve; one has."""
    return waiting(
        recalled=Recalled(case_id="c", incident_id="inc-0", issue=3, distance=0.12),
        remedy=REVERT,
        plan=PLAN.model_copy(update={"remedy": REVERT, "risk": Risk.HIGH, "title": 'Revert "Take the discount"'}),
        diagnosis=DIAGNOSIS.model_copy(update={"suspect": SUSPECT, "kind": CauseKind.BAD_DEPLOY}),
        decision=DECISION.model_copy(update={"approvals_needed": 2, "permission": "maintain"}),
        approvals=(_approval(),),
    )


def _approval() -> Approval:
    return Approval.model_validate(
        {
            "login": "maria",
            "user_id": 1,
            "plan_id": PLAN.id,
            "head_sha": HEAD,
            "at": at(100),
            "via": "command",
        }
    )


def _window(start: float, errors: int) -> SliWindow:
    health = Health.UNHEALTHY if errors else Health.HEALTHY
    return SliWindow(requests=1500, errors=errors, p95_ms=257, start=at(start), end=at(start + 60), health=health)


def verifying(healthy: int = 2, stage: Stage = Stage.VERIFYING, **changes: object) -> Incident:
    """Return the incident with its fix merged and deployed."""
    key = SeriesKey(service="quote", operation=QUOTE)
    windows = tuple(_window(130 + 60 * number, 0) for number in range(healthy))
    check = Verification(
        window_s=60,
        windows=4,
        min_requests=20,
        deploy_deadline=at(2000),
        recovery_timeout_s=900,
        deployed_at=at(125),
        deployed_revision=MERGED,
        reports=(SliReport(key=key, baseline_error_ratio=0.001, windows=windows),),
        healthy_windows=healthy,
        verdict="quote 0 of 1500 requests failed",
    )
    merged = _entry(110, Agent.FIXER, Stage.VERIFYING, "The fix is merged.")
    return waiting(
        stage=stage,
        approvals=(_approval(),),
        merge=Merge(sha=MERGED, at=at(110)),
        verification=check,
        timeline=(OPENED, WAITING, merged),
    ).evolve(**changes)


def resolved() -> Incident:
    """Return the incident at its end."""
    clock = Clock(onset=ONSET, detected=at(15), owned=at(17), mitigated=at(130), resolved=at(370))
    return verifying(4, Stage.RESOLVED, clock=clock)


def resolved_revert() -> Incident:
    """Return the revert from memory at its end; most of the time went by waiting for the approval."""
    end, found = resolved(), high_risk()
    entries = tuple(
        entry.model_copy(update={"at": at(300)}) if entry.stage is Stage.VERIFYING else entry for entry in end.timeline
    )
    kept = {name: getattr(found, name) for name in ("recalled", "remedy", "plan", "diagnosis", "decision")}
    return end.evolve(timeline=entries, **kept)


def dry_run() -> Incident:
    """Return the incident whose fix was only shown."""
    shown = _entry(40, Agent.FIXER, Stage.ESCALATED, "Dry run: nothing was changed.")
    reason = "The risk is low, because one number changes: 1 person with write permission would have to approve."
    return waiting(
        stage=Stage.ESCALATED,
        decision=DECISION.model_copy(update={"reason": reason}),
        plan=None,
        dry_run_plan=PLAN,
        pull_request=None,
        timeline=(OPENED, shown),
    )


def escalated() -> Incident:
    """Return the incident whose fix did not help."""
    gone = _entry(1100, Agent.FIXER, Stage.ESCALATED, "Not recovered in time. The fix is taken back.")
    undo = PullRequestRef(number=9, url="https://github.example/acme/shop/pull/9", head_sha=HEAD)
    before = verifying(0)
    return before.evolve(
        stage=Stage.ESCALATED, revert_plan=UNDO, revert_pull_request=undo, timeline=(*before.timeline, gone)
    )

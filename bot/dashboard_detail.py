"""One incident as the dashboard shows it."""

from datetime import datetime
from typing import Any

from agents.incident import Clock, Incident
from agents.plan import Decision, Plan
from bot.evidence_text import evidence_text
from dashboard.model import (
    ClaimView,
    DiagnosisView,
    EvidenceLine,
    IncidentCard,
    IncidentDetail,
    Moment,
    PlanView,
)
from dashboard.ooda import PHASES, verdicts
from telemetry.model import EdgeEvidence, Evidence, RedEvidence, SignatureEvidence, TraceEvidence


def detail(incident: Incident) -> IncidentDetail:
    """Return everything that is known about an incident."""
    revert, bundle = incident.revert_pull_request, incident.signal.evidence if incident.signal else None
    items, plan = bundle.items if bundle else (), _shown_plan(incident)
    return IncidentDetail(
        card=_card(incident),
        opened_by=incident.opened_by,
        signature=incident.signature,
        timeline=_timeline(incident),
        anomalies=incident.signal.anomalies if incident.signal else (),
        diagnosis=_diagnosis(incident),
        recalled=incident.recalled,
        evidence=tuple(_line(item) for item in items),
        evidence_dropped=bundle.dropped if bundle else 0,
        traces=tuple(item for item in items if isinstance(item, TraceEvidence)),
        decision=incident.decision,
        plan=_plan(incident),
        diff=plan.diff if plan else None,
        approvals=tuple(approval.login for approval in incident.approvals),
        verification=incident.verification.verdict if incident.verification else None,
        recovery=incident.verification,
        merge_sha=incident.merge.sha if incident.merge else None,
        merged=incident.merge.at if incident.merge else None,
        mitigated=incident.clock.mitigated,
        resolved=incident.clock.resolved,
        revert_pull_request=revert.number if revert else None,
        github_calls=incident.github_calls,
    )


def times(clock: Clock) -> dict[str, Any]:
    """Return onset, detection and the four durations of a card."""
    return {
        "onset": clock.onset,
        "detected": clock.detected,
        "ttd_s": _seconds(clock.onset, clock.detected),
        "tta_s": _seconds(clock.detected, clock.owned),
        "ttm_s": _seconds(clock.onset, clock.mitigated),
        "ttr_s": _seconds(clock.onset, clock.resolved),
    }


def _seconds(since: datetime, until: datetime | None) -> float | None:
    return None if until is None else round((until - since).total_seconds(), 3)


def _card(incident: Incident) -> IncidentCard:
    pull = incident.pull_request
    return IncidentCard(
        id=incident.id,
        title=incident.title,
        stage=incident.stage,
        severity=incident.severity,
        service=incident.diagnosis.service if incident.diagnosis else incident.service,
        environment=incident.environment,
        repository=incident.repo.full_name,
        issue=incident.issue,
        issue_url=incident.issue_url,
        pull_request=pull.number if pull else None,
        pull_request_url=pull.url if pull else None,
        from_memory=incident.recalled is not None,
        updated=incident.timeline[-1].at if incident.timeline else incident.clock.detected,
        **times(incident.clock),
    )


def _timeline(incident: Incident) -> tuple[Moment, ...]:
    return tuple(
        Moment(
            at=entry.at,
            agent=entry.agent,
            stage=entry.stage,
            note=entry.note,
            phase=PHASES[entry.agent],
            verdict=verdict,
        )
        for entry, verdict in zip(incident.timeline, verdicts(incident), strict=True)
    )


def _diagnosis(incident: Incident) -> DiagnosisView | None:
    diagnosis = incident.diagnosis
    if diagnosis is None:
        return None
    suspect = diagnosis.suspect
    return DiagnosisView(
        verdict=diagnosis.verdict,
        service=diagnosis.service,
        kind=diagnosis.kind,
        summary=diagnosis.summary,
        claims=tuple(ClaimView(text=claim.text, evidence=claim.evidence) for claim in diagnosis.claims),
        candidates=diagnosis.candidates,
        suspect=f"{suspect.sha[:9]} {suspect.title} by {suspect.author}: {suspect.reason}" if suspect else None,
        suspect_sha=suspect.sha if suspect else None,
    )


def _line(item: Evidence) -> EvidenceLine:
    match item:
        case EdgeEvidence():
            service = item.caller
        case TraceEvidence():
            service = item.spans[0].service if item.spans else ""
        case _:
            service = item.service
    return EvidenceLine(
        id=item.id,
        kind=item.kind,
        service=service,
        text=evidence_text(item),
        series=item.series if isinstance(item, RedEvidence) else (),
        frames=item.frames if isinstance(item, SignatureEvidence) else (),
    )


def _shown_plan(incident: Incident) -> Plan | None:
    """Return the plan, or in a dry run the one that would have been."""
    return incident.plan or incident.dry_run_plan


def _plan(incident: Incident) -> PlanView | None:
    plan = _shown_plan(incident)
    if plan is None:
        return None
    approvals = _approvals_rule(incident.decision)
    return PlanView(
        id=plan.id,
        title=plan.title,
        risk=plan.risk,
        branch=plan.branch,
        base_sha=plan.base_sha,
        files=tuple(edit.path for edit in plan.edits),
        expires=plan.expires_at,
        approvals_needed=approvals.approvals_needed if approvals else None,
        permission=approvals.permission if approvals else None,
        dry_run=incident.plan is None,
    )


def _approvals_rule(decision: Decision | None) -> Decision | None:
    """Return the node of the decision tree that says how many people must approve."""
    if decision is None or decision.approvals_needed:
        return decision
    below = (_approvals_rule(child) for child in decision.children)
    return next((found for found in below if found is not None and found.approvals_needed), None)

"""What changed between two versions of an incident, as events for the dashboard and entries for the audit."""

from datetime import datetime

from pydantic import JsonValue

from agents.incident import Incident, TimelineEntry
from agents.plan import Approval
from agents.writes import AnyWrite, Result
from bot.db.audit import entry
from bot.db.events import NewEvent
from bot.db.rows import AuditEntry


def summary(incident: Incident) -> dict[str, JsonValue]:
    """Return what a list of incidents shows. Title and names are untrusted text: escape them where shown."""
    pull = incident.pull_request
    return {
        "stage": incident.stage.value,
        "severity": incident.severity.value,
        "service": incident.service,
        "title": incident.title,
        "issue": incident.issue,
        "issue_url": incident.issue_url,
        "pull_request": None if pull is None else pull.number,
        "pull_request_url": None if pull is None else pull.url,
    }


def _visible(incident: Incident) -> Incident:
    """Return the incident without what no reader would call a change."""
    return incident.evolve(outgoing=(), github_calls=0, wake_at=None)


def _new_entries(before: Incident | None, after: Incident) -> tuple[TimelineEntry, ...]:
    return after.timeline[0 if before is None else len(before.timeline) :]


def events_of(before: Incident | None, after: Incident, now: datetime) -> list[NewEvent]:
    """Return one event per new timeline entry; one `incident_changed` when something else changed."""
    seen = summary(after)
    events = [
        NewEvent(
            incident_id=after.id,
            kind="stage_changed",
            at=new.at,
            data={**seen, "stage": new.stage.value, "agent": new.agent.value, "note": new.note},
        )
        for new in _new_entries(before, after)
    ]
    if not events and (before is None or _visible(before) != _visible(after)):
        kind = "incident_opened" if before is None else "incident_changed"
        events.append(NewEvent(incident_id=after.id, kind=kind, at=now, data=seen))
    return events


def _approval(kind: str, incident: Incident, approval: Approval, at: datetime) -> AuditEntry:
    details: dict[str, JsonValue] = approval.model_dump(mode="json", exclude={"login", "at"})
    return entry(kind, approval.login, at, incident.id, **details)


def audit_of(before: Incident | None, after: Incident, now: datetime) -> list[AuditEntry]:
    """Return one audit entry per new timeline entry, new approval and dropped approval."""
    approved = () if before is None else before.approvals
    return [
        *(
            entry("stage_changed", new.agent.value, new.at, after.id, stage=new.stage.value, note=new.note)
            for new in _new_entries(before, after)
        ),
        *(
            _approval("approved", after, approval, approval.at)
            for approval in after.approvals
            if approval not in approved
        ),
        *(
            _approval("approval_dropped", after, approval, now)
            for approval in approved
            if approval not in after.approvals
        ),
    ]


def audit_of_write(incident: Incident, write: AnyWrite, result: Result | None, now: datetime) -> AuditEntry:
    """Return the audit entry of a write that GitHub carried out or refused."""
    outcome: JsonValue = None if result is None else result.model_dump(mode="json", exclude_none=True)
    kind = "write_refused" if result is not None and not result.ok else "write_carried_out"
    return entry(kind, "sre-space", now, incident.id, write=write.kind, key=write.key, result=outcome)

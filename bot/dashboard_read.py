"""The dashboard's `ReadModel` over the store."""

from datetime import datetime
from typing import Any

from agents.incident import TERMINAL, Clock, Incident, Stage
from bot.db.read_model import IncidentRow
from bot.db.read_model import ReadModel as Rows
from bot.evidence_text import evidence_text
from dashboard.model import (
    ClaimView,
    DiagnosisView,
    EventRecord,
    EvidenceLine,
    IncidentCard,
    IncidentDetail,
    Moment,
    Overview,
)


class DashboardRead:
    """Reads incidents and events for the dashboard."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def overview(self, limit: int) -> Overview:
        """Return the newest incidents and the counts over all of them."""
        overview = await self._rows.overview(limit)
        ended = {stage.value for stage in TERMINAL}
        return Overview(
            incidents=tuple(_card_of_row(row) for row in overview.incidents),
            open=sum(count for stage, count in overview.by_stage.items() if stage not in ended),
            resolved=overview.by_stage.get(Stage.RESOLVED, 0),
            total=overview.total,
            sequence=overview.seq,
        )

    async def incident(self, incident_id: str) -> IncidentDetail | None:
        """Return one incident."""
        page = await self._rows.incident(incident_id)
        return None if page is None else _detail(page.incident)

    async def events_after(self, sequence: int, limit: int) -> tuple[EventRecord, ...]:
        """Return stage changes and other visible changes, oldest first."""
        return tuple(
            EventRecord(
                sequence=event.seq,
                incident_id=event.incident_id or "",
                at=event.at,
                agent=str(event.data.get("agent") or ""),
                stage=str(event.data.get("stage") or ""),
                note=str(event.data.get("note") or ""),
            )
            for event in await self._rows.events_after(sequence, limit)
        )

    async def last_sequence(self) -> int:
        """Return the newest event's sequence number."""
        return (await self._rows.overview(1)).seq


def _seconds(since: datetime, until: datetime | None) -> float | None:
    return None if until is None else round((until - since).total_seconds(), 3)


def _card_of_row(row: IncidentRow) -> IncidentCard:
    shown = row.model_dump(include=IncidentCard.model_fields.keys() & IncidentRow.model_fields.keys())
    clock = Clock(
        onset=row.onset_at,
        detected=row.detected_at,
        owned=row.owned_at,
        mitigated=row.mitigated_at,
        resolved=row.resolved_at,
    )
    return IncidentCard(**shown, **_times(clock), repository=row.repo, updated=row.updated_at)


def _card(incident: Incident) -> IncidentCard:
    pull = incident.pull_request
    return IncidentCard(
        id=incident.id,
        title=incident.title,
        stage=incident.stage,
        severity=incident.severity,
        service=incident.diagnosis.service if incident.diagnosis else incident.service,
        repository=incident.repo.full_name,
        issue=incident.issue,
        issue_url=incident.issue_url,
        pull_request=pull.number if pull else None,
        pull_request_url=pull.url if pull else None,
        from_memory=incident.recalled is not None,
        updated=incident.timeline[-1].at if incident.timeline else incident.clock.detected,
        **_times(incident.clock),
    )


def _times(clock: Clock) -> dict[str, Any]:
    return {
        "onset": clock.onset,
        "ttd_s": _seconds(clock.onset, clock.detected),
        "tta_s": _seconds(clock.detected, clock.owned),
        "ttm_s": _seconds(clock.onset, clock.mitigated),
        "ttr_s": _seconds(clock.onset, clock.resolved),
    }


def _detail(incident: Incident) -> IncidentDetail:
    plan = incident.plan
    revert = incident.revert_pull_request
    evidence = incident.signal.evidence.items if incident.signal else ()
    return IncidentDetail(
        card=_card(incident),
        timeline=tuple(
            Moment(at=entry.at, agent=entry.agent, stage=entry.stage, note=entry.note) for entry in incident.timeline
        ),
        diagnosis=_diagnosis(incident),
        evidence=tuple(EvidenceLine(id=item.id, kind=item.kind, text=evidence_text(item)) for item in evidence),
        diff=plan.diff if plan else None,
        approvals=tuple(approval.login for approval in incident.approvals),
        verification=incident.verification.verdict if incident.verification else None,
        merge_sha=incident.merge.sha if incident.merge else None,
        revert_pull_request=revert.number if revert else None,
        github_calls=incident.github_calls,
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
        suspect=f"{suspect.sha[:9]} {suspect.title} by {suspect.author}: {suspect.reason}" if suspect else None,
        suspect_sha=suspect.sha if suspect else None,
    )

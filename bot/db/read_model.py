"""The dashboard's reads over the database, see `dashboard.ports.ReadModel`."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, func, select

from agents.incident import TERMINAL, Incident, Stage
from bot.db.engine import Database
from bot.db.events import Events
from bot.db.evidence_text import line
from bot.db.schema import incidents
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

_CARD: Final = tuple(
    incidents.c[name]
    for name in [
        "id",
        "title",
        "stage",
        "severity",
        "service",
        "repo",
        "issue",
        "issue_url",
        "pull_request",
        "pull_request_url",
        "from_memory",
        "onset_at",
        "detected_at",
        "owned_at",
        "mitigated_at",
        "resolved_at",
        "updated_at",
    ]
)


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - start).total_seconds()


def _card(row: RowMapping) -> IncidentCard:
    onset: datetime = row["onset_at"]
    detected: datetime = row["detected_at"]
    same: dict[str, Any] = {name: row[name] for name in IncidentCard.model_fields if name in row}
    return IncidentCard(
        **same,
        repository=row["repo"],
        onset=onset,
        updated=row["updated_at"],
        ttd_s=_seconds(onset, detected),
        tta_s=_seconds(detected, row["owned_at"]),
        ttm_s=_seconds(onset, row["mitigated_at"]),
        ttr_s=_seconds(onset, row["resolved_at"]),
    )


def _diagnosis(incident: Incident) -> DiagnosisView | None:
    found = incident.diagnosis
    if found is None:
        return None
    return DiagnosisView(
        verdict=found.verdict,
        service=found.service,
        kind=found.kind,
        summary=found.summary,
        claims=tuple(ClaimView(text=claim.text, evidence=claim.evidence) for claim in found.claims),
        suspect=found.suspect and f"{found.suspect.sha[:9]} {found.suspect.title}: {found.suspect.reason}",
        suspect_sha=found.suspect and found.suspect.sha,
    )


def _evidence(incident: Incident) -> tuple[EvidenceLine, ...]:
    if incident.signal is None:
        return ()
    items = incident.signal.evidence.items
    return tuple(EvidenceLine(id=item.id, kind=item.kind, text=line(item)) for item in items)


def detail(card: IncidentCard, incident: Incident) -> IncidentDetail:
    """Return everything that the page shows of an incident. Its text is untrusted: it is shown as text only."""
    revert, verification = incident.revert_pull_request, incident.verification
    return IncidentDetail(
        card=card,
        timeline=tuple(
            Moment(at=entry.at, agent=entry.agent, stage=entry.stage, note=entry.note) for entry in incident.timeline
        ),
        diagnosis=_diagnosis(incident),
        evidence=_evidence(incident),
        diff=incident.plan and incident.plan.diff,
        approvals=tuple(approval.login for approval in incident.approvals),
        verification=(verification and verification.verdict) or None,
        merge_sha=incident.merge and incident.merge.sha,
        revert_pull_request=revert and revert.number,
        github_calls=incident.github_calls,
    )


class ReadModel:
    """Reads for people; it changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events = Events(database)

    async def overview(self, limit: int) -> Overview:
        """Return the newest `limit` incidents and the counts over all of them."""
        # The sequence is read first: what happens in between is then streamed once more, and nothing is missed.
        sequence = await self.last_sequence()
        count = select(incidents.c.stage, func.count().label("number")).group_by(incidents.c.stage)
        newest = select(*_CARD).order_by(incidents.c.created_at.desc(), incidents.c.id).limit(limit)
        async with self._database.read() as connection:
            stages: dict[str, int] = {row.stage: row.number for row in await connection.execute(count)}
            rows = (await connection.execute(newest)).mappings()
            return Overview(
                incidents=tuple(_card(row) for row in rows),
                open=sum(number for stage, number in stages.items() if stage not in TERMINAL),
                resolved=stages.get(Stage.RESOLVED, 0),
                total=sum(stages.values()),
                sequence=sequence,
            )

    async def incident(self, incident_id: str) -> IncidentDetail | None:
        """Return one incident, or None when there is none with this id."""
        statement = select(*_CARD, incidents.c.data).where(incidents.c.id == incident_id)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else detail(_card(row), Incident.model_validate_json(row["data"]))

    async def events_after(self, sequence: int, limit: int) -> tuple[EventRecord, ...]:
        """Return at most `limit` events with a greater sequence number, oldest first.

        An event that is no stage change names no agent and has an empty note.
        """
        return tuple(
            EventRecord(
                sequence=event.seq,
                incident_id=event.incident_id or "",
                at=event.at,
                agent=str(event.data.get("agent", "")),
                stage=str(event.data.get("stage", "")),
                note=str(event.data.get("note", "")),
            )
            for event in await self._events.after(sequence, limit)
        )

    async def last_sequence(self) -> int:
        """Return the greatest sequence number, 0 when there is no event yet."""
        return await self._events.last()

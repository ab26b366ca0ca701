"""What the dashboard reads: incidents as a list, one incident with its timeline, and events. JSON-ready."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, func, select

from agents.incident import Incident, Stage
from bot.db.engine import Database
from bot.db.events import Events
from bot.db.rows import Event
from bot.db.schema import incidents
from telemetry.model import Frozen, Severity


class IncidentRow(Frozen):
    """One incident in a list, read without its JSON. Title, service and URLs are untrusted text."""

    id: str
    stage: Stage
    severity: Severity
    service: str | None
    title: str
    tenant: str
    environment: str
    repo: str
    issue: int | None
    issue_url: str | None
    pull_request: int | None
    pull_request_url: str | None
    from_memory: bool
    onset_at: AwareDatetime
    detected_at: AwareDatetime
    owned_at: AwareDatetime | None
    mitigated_at: AwareDatetime | None
    resolved_at: AwareDatetime | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Overview(Frozen):
    """The list of incidents, and the event up to which it is current: stream on from `seq`."""

    seq: int
    total: int
    by_stage: dict[str, int]
    incidents: tuple[IncidentRow, ...]


class IncidentPage(Frozen):
    """One incident with its timeline and everything else, at `version`; `seq` as in `Overview`."""

    seq: int
    version: int
    incident: Incident


_COLUMNS = tuple(incidents.c[name] for name in IncidentRow.model_fields)


class ReadModel:
    """Reads for people; it changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events = Events(database)

    async def incidents(self, limit: int = 100, *, before: datetime | None = None) -> tuple[IncidentRow, ...]:
        """Return at most `limit` incidents, newest first; those opened before a moment where it is given."""
        where: Sequence[ColumnElement[bool]] = () if before is None else (incidents.c.created_at < before,)
        newest = (incidents.c.created_at.desc(), incidents.c.id.desc())
        statement = select(*_COLUMNS).where(*where).order_by(*newest).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings()
            return tuple(IncidentRow.model_validate(dict(row)) for row in rows)

    async def overview(self, limit: int = 100, *, before: datetime | None = None) -> Overview:
        """Return the newest incidents, how many there are in each stage, and where to stream on from."""
        # The sequence is read first: what happens in between is then streamed once more, and nothing is missed.
        seq = await self.last_sequence()
        count = select(incidents.c.stage, func.count().label("number")).group_by(incidents.c.stage)
        async with self._database.read() as connection:
            by_stage: dict[str, int] = {row.stage: row.number for row in await connection.execute(count)}
        rows = await self.incidents(limit, before=before)
        return Overview(seq=seq, total=sum(by_stage.values()), by_stage=by_stage, incidents=rows)

    async def incident(self, incident_id: str) -> IncidentPage | None:
        """Return one incident with its timeline."""
        seq = await self.last_sequence()
        statement = select(incidents.c.data, incidents.c.version).where(incidents.c.id == incident_id)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        return IncidentPage(seq=seq, version=row.version, incident=Incident.model_validate_json(row.data))

    async def events_after(self, seq: int, limit: int = 500) -> tuple[Event, ...]:
        """Return at most `limit` events numbered above `seq`, in order."""
        return await self._events.after(seq, limit)

    async def last_sequence(self) -> int:
        """Return the number of the newest event, 0 when there is none."""
        return await self._events.last()

"""What the dashboard reads: incidents as a list, one incident with its timeline, and events. JSON-ready."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, Table, false, func, or_, select

from agents.incident import Incident, Stage
from bot.db.engine import Database
from bot.db.events import Events
from bot.db.rows import Event, Status
from bot.db.schema import incidents, leases
from bot.db.statistics import Statistics
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


class Cursor(Frozen):
    """Where a page of incidents ends: the next one starts with the newest incident that is older."""

    created_at: AwareDatetime
    id: str


class WaitingRows(Frozen):
    """Rows of the inbox or outbox that wait, since when the oldest does, and those that will not be carried out."""

    pending: int
    oldest: AwareDatetime | None
    failed: int
    refused: int


class LeaseRow(Frozen):
    """A lease that has not ended: `owner` holds the lane until `expires_at`."""

    lane: str
    owner: str
    expires_at: AwareDatetime


class IncidentPage(Frozen):
    """One incident with its timeline and everything else, at `version`; `seq` as in `Overview`."""

    seq: int
    version: int
    incident: Incident


_NUMBER = re.compile(r"#?([0-9]{1,9})")
_c = incidents.c
_COLUMNS = tuple(incidents.c[name] for name in IncidentRow.model_fields)


def _conditions(stages: Collection[Stage], words: str, before: Cursor | None) -> Iterator[ColumnElement[bool]]:
    if stages:
        yield _c.stage.in_([stage.value for stage in stages])
    if words:
        number = _NUMBER.fullmatch(words)
        is_issue = _c.issue == int(number[1]) if number else false()
        yield or_(*(column.icontains(words, autoescape=True) for column in (_c.title, _c.service, _c.repo)), is_issue)
    if before is not None:
        older = (_c.created_at == before.created_at) & (_c.id < before.id)
        yield or_(_c.created_at < before.created_at, older)


class ReadModel:
    """Reads for people; it changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events = Events(database)
        self.statistics = Statistics(database)

    async def incidents(self, limit: int = 100, *, before: datetime | None = None) -> tuple[IncidentRow, ...]:
        """Return at most `limit` incidents, newest first; those opened before a moment where it is given."""
        where: Sequence[ColumnElement[bool]] = () if before is None else (incidents.c.created_at < before,)
        newest = (incidents.c.created_at.desc(), incidents.c.id.desc())
        statement = select(*_COLUMNS).where(*where).order_by(*newest).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings()
            return tuple(IncidentRow.model_validate(dict(row)) for row in rows)

    async def page(
        self,
        limit: int,
        *,
        stages: Collection[Stage] = (),
        words: str = "",
        before: Cursor | None = None,
        oldest_first: bool = False,
    ) -> tuple[IncidentRow, ...]:
        """Return at most `limit` incidents in one of `stages` (all, when none is given), newest first.

        `words` must occur in the title, the service or the repository, or be the issue's number (with or without #).
        """
        order = (_c.created_at.asc(), _c.id.asc()) if oldest_first else (_c.created_at.desc(), _c.id.desc())
        chosen = select(_c.id).where(*_conditions(stages, words, before)).order_by(*order).limit(limit)
        statement = select(*_COLUMNS).where(_c.id.in_(chosen.scalar_subquery())).order_by(*order)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings()
            return tuple(IncidentRow.model_validate(dict(row)) for row in rows)

    async def waiting(self, table: Table) -> WaitingRows:
        """Return what waits in `inbox` or `outbox`."""
        since = table.c.received_at if "received_at" in table.c else table.c.created_at
        counts = select(table.c.status, func.count().label("number")).group_by(table.c.status)
        oldest = select(func.min(since)).where(table.c.status == Status.PENDING)
        async with self._database.read() as connection:
            by_status = {row.status: row.number for row in await connection.execute(counts)}
            first = (await connection.execute(oldest)).scalar_one()
        return WaitingRows(
            pending=by_status.get(Status.PENDING, 0),
            oldest=first,
            failed=by_status.get(Status.FAILED, 0),
            refused=by_status.get(Status.REFUSED, 0),
        )

    async def leases(self, now: datetime) -> tuple[LeaseRow, ...]:
        """Return the leases that are alive, at most 1000."""
        statement = select(leases).where(leases.c.expires_at > now).order_by(leases.c.lane).limit(1000)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings()
            return tuple(LeaseRow.model_validate(dict(row)) for row in rows)

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

"""The store: one transaction per change of an incident, with everything that follows from it."""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.errors import StaleIncidentError
from agents.incident import TERMINAL, Incident
from agents.ports import Now
from agents.writes import Result
from bot.db import audit, changes, events, inbox, incidents, outbox
from bot.db.engine import Database
from bot.db.figures import Figures
from bot.db.leases import Leases
from bot.db.read_model import ReadModel
from bot.db.rows import AuditEntry, Event, OutboxRow
from bot.db.schema import incidents as table


class Store:
    """Everything that is true. All methods raise DatabaseUnavailableError when the database does not answer."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now
        self.inbox = inbox.Inbox(database, now)
        self.outbox = outbox.Outbox(database, now)
        self.leases = Leases(database, now)
        self.events = events.Events(database)
        self.audit = audit.Audit(database)
        self.read_model = ReadModel(database)
        self.figures = Figures(database)

    async def check(self) -> None:
        """Return when the database answers."""
        await self.events_after(0, 1)

    async def load(self, incident_id: str) -> tuple[Incident, int] | None:
        """Return an incident and its version."""
        async with self._database.read() as connection:
            return await incidents.fetch(connection, incident_id)

    async def claim(self, incident_id: str) -> tuple[Incident, int] | None:
        """Load an incident in order to work on it: the sweeper leaves it alone for a while."""
        async with self._database.write() as connection:
            until = self._now() + incidents.HOLD
            await connection.execute(update(table).where(table.c.id == incident_id).values(next_try_at=until))
            return await incidents.fetch(connection, incident_id)

    async def save(self, incident: Incident, version: int, *, delivery_id: int | None = None) -> int:
        """Store an incident over `version` (0: it is new) and return its new version.

        One transaction: the incident without its `outgoing` writes, these writes in the outbox, events and
        audit entries for what changed, and the inbox row `delivery_id`, which caused it, as dealt with.

        Raises:
            StaleIncidentError: somebody else stored a newer version, or has opened it; nothing was stored.
        """
        async with self._database.write() as connection:
            now = self._now()
            stored = await self._save(connection, incident, version, now)
            if delivery_id is not None:
                await inbox.finish(connection, delivery_id, incident.id, now)
            return stored

    async def delivered(self, row: OutboxRow, incident: Incident, version: int, *, result: Result | None = None) -> int:
        """Store that a write was carried out or refused, with the incident that its result led to.

        Returns the incident's new version.

        Raises:
            StaleIncidentError: the incident, or the row, has moved on; nothing was stored.
        """
        async with self._database.write() as connection:
            now = self._now()
            # The incident before its writes, as in a save: two transactions never wait for each other crosswise.
            await incidents.lock(connection, incident.id)
            if not await outbox.settle(connection, row.id, result, now):
                raise StaleIncidentError(incident.id, version)
            done = changes.audit_of_write(incident, row.write, result, now)
            return await self._save(connection, incident, version, now, done)

    async def _save(
        self, connection: AsyncConnection, incident: Incident, version: int, now: datetime, *also: AuditEntry
    ) -> int:
        known = await incidents.fetch(connection, incident.id, lock=True)
        before = known[0] if known else None
        stored = await incidents.write(connection, incident, version, now)
        await outbox.add(connection, incident.id, incident.outgoing, now)
        await events.append(connection, changes.events_of(before, incident, now))
        await audit.append(connection, [*also, *changes.audit_of(before, incident, now)])
        return stored

    async def find(self, repo_id: int, number: int) -> str | None:
        """Return the id of the incident whose issue or pull request has this number."""
        return await self._first(incidents.by_number(repo_id, number))

    async def find_group(self, tenant: str, group_id: str) -> str | None:
        """Return the id of the newest incident that Scout's group led to."""
        return await self._first(table.c.tenant == tenant, table.c.group_id == group_id)

    async def _first(self, *where: ColumnElement[bool]) -> str | None:
        newest = table.c.created_at.desc()
        statement = select(table.c.id).where(*where).order_by(newest).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(statement)).scalar_one_or_none()

    async def open_incidents(self, *, tenant: str, environment: str) -> tuple[Incident, ...]:
        """Return every incident of an environment that has not ended, oldest first."""
        ended = [stage.value for stage in TERMINAL]
        statement = (
            select(table.c.data)
            .where(table.c.tenant == tenant, table.c.environment == environment, table.c.stage.not_in(ended))
            .order_by(table.c.created_at)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
            return tuple(Incident.model_validate_json(row.data) for row in rows)

    async def list_incidents(self, limit: int = 100) -> tuple[Incident, ...]:
        """Return incidents, newest first."""
        statement = select(table.c.data).order_by(table.c.created_at.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
            return tuple(Incident.model_validate_json(row.data) for row in rows)

    async def events_after(self, seq: int, limit: int = 500) -> tuple[Event, ...]:
        """Return at most `limit` events numbered above `seq`, in order."""
        return await self.events.after(seq, limit)

    async def due(self, now: datetime, *, max_wakes: int = 10, limit: int = 100) -> tuple[tuple[str, int], ...]:
        """Return (incident id, wake number) of what should be advanced, and put off their next wake-up."""
        async with self._database.write() as connection:
            return await incidents.due(connection, now, max_wakes=max_wakes, limit=limit)

    async def suspend_stalled(self, now: datetime, *, max_wakes: int = 10) -> tuple[str, ...]:
        """Stop waking incidents that were woken so often without progress; return each of them once.

        The next save of such an incident, or a failed try to deliver a write of it, ends the suspension.
        """
        async with self._database.write() as connection:
            return await incidents.suspend_stalled(connection, now, max_wakes=max_wakes)

    async def lease(self, lane: str, owner: str, ttl_s: float) -> bool:
        """Return whether `owner` now holds the lane; see `Leases.take`."""
        return await self.leases.take(lane, owner, ttl_s)

    async def renew(self, lane: str, owner: str, ttl_s: float) -> bool:
        """Return whether `owner` still holds the lane, which is then prolonged."""
        return await self.leases.renew(lane, owner, ttl_s)

    async def release(self, lane: str, owner: str) -> None:
        """Give the lane back."""
        await self.leases.release(lane, owner)

"""The outbox: writes to GitHub, stored with the incident that asks for them, carried out in order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.ports import Now
from agents.writes import AnyWrite, Result, SyncComment
from bot.db import incidents
from bot.db.backoff import backoff
from bot.db.engine import Database
from bot.db.rows import OutboxRow, Status
from bot.db.schema import outbox
from bot.db.types import printable

_WRITE: TypeAdapter[AnyWrite] = TypeAdapter(AnyWrite)


def row_key(incident_id: str, write: AnyWrite) -> str:
    """Return the key that makes a write unique over all incidents."""
    return f"{incident_id}:{write.key}"


def _row(row: Row[tuple[Any, ...]]) -> OutboxRow:
    return OutboxRow(
        id=row.id,
        key=row.key,
        incident_id=row.incident_id,
        write=_WRITE.validate_json(row.payload),
        status=Status(row.status),
        attempts=row.attempts,
        next_at=row.next_at,
    )


async def add(connection: AsyncConnection, incident_id: str, writes: Sequence[AnyWrite], now: datetime) -> None:
    """Store writes in order, within the caller's transaction.

    Asking for a key again is asking once, with two exceptions: the sticky comment may be asked for anew once
    it was delivered, and a write that GitHub refused, or that was given up, may be tried anew.
    """
    for write in writes:
        key = row_key(incident_id, write)
        query = select(outbox.c.id, outbox.c.status).where(outbox.c.key == key)
        known = (await connection.execute(query)).one_or_none()
        payload = write.model_dump_json()
        if known is not None and known.status == Status.PENDING:
            await connection.execute(update(outbox).where(outbox.c.id == known.id).values(payload=payload))
            continue
        if known is not None:
            if known.status == Status.DONE and not isinstance(write, SyncComment):
                continue
            await connection.execute(delete(outbox).where(outbox.c.id == known.id))
        await connection.execute(
            insert(outbox).values(
                key=key,
                incident_id=incident_id,
                kind=write.kind,
                payload=payload,
                status=Status.PENDING,
                attempts=0,
                next_at=await _not_before_others(connection, incident_id, now),
                error="",
                created_at=now,
            )
        )


async def _not_before_others(connection: AsyncConnection, incident_id: str, now: datetime) -> datetime:
    """Return when a new last row may go: not before the rows that wait ahead of it."""
    ahead = (outbox.c.incident_id == incident_id) & (outbox.c.status == Status.PENDING)
    latest = (await connection.execute(select(func.max(outbox.c.next_at)).where(ahead))).scalar_one()
    return now if latest is None else max(now, latest)


async def settle(connection: AsyncConnection, row_id: int, result: Result | None, now: datetime) -> bool:
    """Mark a row as carried out or refused, within the caller's transaction; False if it was not pending."""
    refused = result is not None and not result.ok
    values = {
        "status": Status.REFUSED if refused else Status.DONE,
        "result": None if result is None else result.model_dump_json(),
        "done_at": now,
    }
    pending = (outbox.c.id == row_id) & (outbox.c.status == Status.PENDING)
    settled = await connection.execute(update(outbox).where(pending).values(**values))
    return settled.rowcount == 1


class Outbox:
    """Writes to GitHub."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def pending(self, incident_id: str) -> tuple[OutboxRow, ...]:
        """Return the writes of an incident that are still to be carried out, in order.

        Deliver from the front and stop at the first whose `next_at` is in the future: order is kept.
        """
        waiting = (outbox.c.incident_id == incident_id) & (outbox.c.status == Status.PENDING)
        async with self._database.read() as connection:
            rows = await connection.execute(select(outbox).where(waiting).order_by(outbox.c.id))
            return tuple(_row(row) for row in rows)

    async def get(self, row_id: int) -> OutboxRow | None:
        """Return one row, in whatever state it is."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(outbox).where(outbox.c.id == row_id))).one_or_none()
        return None if row is None else _row(row)

    async def retry(self, row_id: int, error: str, *, delay_s: float | None = None) -> None:
        """Count a failed try and put the row off, and with it the rows behind it.

        The wait is `delay_s` seconds (what GitHub asked for), or one that doubles with every try.
        """
        async with self._database.write() as connection:
            query = select(outbox.c.attempts, outbox.c.incident_id).where(outbox.c.id == row_id)
            known = (await connection.execute(query)).one()
            wait = backoff(known.attempts + 1) if delay_s is None else timedelta(seconds=delay_s)
            then = self._now() + wait
            await incidents.progressed(connection, known.incident_id, self._now())
            counted = {"attempts": known.attempts + 1, "error": printable(error)}
            await connection.execute(update(outbox).where(outbox.c.id == row_id).values(**counted))
            behind = (outbox.c.incident_id == known.incident_id) & (outbox.c.id >= row_id)
            early = (outbox.c.status == Status.PENDING) & (outbox.c.next_at < then)
            await connection.execute(update(outbox).where(behind, early).values(next_at=then))

    async def fail(self, row_id: int, error: str) -> None:
        """Give a row up, so that the rows behind it can go."""
        async with self._database.write() as connection:
            given_up = {"status": Status.FAILED, "error": printable(error), "done_at": self._now()}
            await connection.execute(update(outbox).where(outbox.c.id == row_id).values(**given_up))

    async def exhausted(self, *, max_attempts: int) -> tuple[tuple[OutboxRow, str], ...]:
        """Return pending rows that have used up their tries, each with its last error."""
        used_up = (outbox.c.status == Status.PENDING) & (outbox.c.attempts >= max_attempts)
        async with self._database.read() as connection:
            rows = await connection.execute(select(outbox).where(used_up).order_by(outbox.c.id).limit(100))
            return tuple((_row(row), row.error) for row in rows)

"""The inbox: every delivery once, kept until a worker has dealt with it."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.ports import Now
from bot.db.backoff import backoff
from bot.db.engine import Database
from bot.db.rows import Delivery, InboxRow, Status
from bot.db.schema import inbox
from bot.db.types import printable

# A new row is woken by whoever put it; only when that wake-up was lost does the sweeper find it.
GRACE: Final = timedelta(seconds=2)
# While a worker has taken a row up, the sweeper leaves it alone for this long.
HOLD: Final = timedelta(seconds=10)


_COLUMNS = tuple(inbox.c[name] for name in InboxRow.model_fields)


def _row(row: RowMapping) -> InboxRow:
    return InboxRow.model_validate(dict(row))


def to_wake(now: datetime, *, max_attempts: int, limit: int) -> Select[Any, Any]:
    """Return the query for rows to wake, oldest first; what others wake now is left out."""
    waiting = (inbox.c.status == Status.PENDING) & (inbox.c.next_at <= now)
    return (
        select(inbox.c.id, inbox.c.wakes)
        .where(waiting, inbox.c.attempts < max_attempts)
        .order_by(inbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


async def finish(connection: AsyncConnection, row_id: int, note: str, now: datetime) -> None:
    """Mark a row as dealt with, within the caller's transaction."""
    done = {"status": Status.DONE, "note": printable(note), "finished_at": now}
    await connection.execute(update(inbox).where(inbox.c.id == row_id).values(**done))


class Inbox:
    """Deliveries."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def put(self, delivery: Delivery) -> int | None:
        """Store a delivery and return its id; None when it is known, by its guid or by its content.

        One that failed for good and is sent again under its own guid is opened anew.
        """
        now = self._now()
        fresh: dict[str, Any] = {"status": Status.PENDING, "attempts": 0, "wakes": 0, "note": ""}
        fresh |= {"next_at": now + GRACE, "finished_at": None}
        failed = (inbox.c.guid == delivery.guid) & (inbox.c.status == Status.FAILED)
        async with self._database.write() as connection:
            try:
                async with connection.begin_nested():
                    stored = await connection.execute(
                        insert(inbox).values(**delivery.model_dump(), **fresh, received_at=now).returning(inbox.c.id)
                    )
                    return stored.scalar_one()
            except IntegrityError:
                again = await connection.execute(update(inbox).where(failed).values(**fresh).returning(inbox.c.id))
                return again.scalar_one_or_none()

    async def get(self, row_id: int) -> InboxRow | None:
        """Return one row, in whatever state it is."""
        query = select(*_COLUMNS).where(inbox.c.id == row_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _row(row)

    async def claim(self, row_id: int) -> InboxRow | None:
        """Take a row up: count the attempt and return the row; None when it is no longer pending."""
        held = {"attempts": inbox.c.attempts + 1, "next_at": self._now() + HOLD}
        pending = (inbox.c.id == row_id) & (inbox.c.status == Status.PENDING)
        async with self._database.write() as connection:
            statement = update(inbox).where(pending).values(**held).returning(*_COLUMNS)
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _row(row)

    async def pending(
        self, *, repo_id: int | None = None, number: int | None = None, limit: int = 100
    ) -> tuple[InboxRow, ...]:
        """Return rows not yet dealt with, oldest first; those of one issue or pull request where it is given."""
        wanted: list[ColumnElement[bool]] = [inbox.c.status == Status.PENDING]
        if repo_id is not None:
            wanted.append(inbox.c.repo_id == repo_id)
        if number is not None:
            wanted.append(inbox.c.number == number)
        async with self._database.read() as connection:
            rows = await connection.execute(select(*_COLUMNS).where(*wanted).order_by(inbox.c.id).limit(limit))
            return tuple(_row(row) for row in rows.mappings())

    async def finish(self, row_id: int, note: str = "") -> None:
        """Mark a row as dealt with. Use `Store.save(…, delivery_id=…)` where an incident is saved as well."""
        async with self._database.write() as connection:
            await finish(connection, row_id, note, self._now())

    async def retry(self, row_id: int, error: str, *, delay_s: float | None = None) -> None:
        """Leave a row for a later try.

        With `delay_s` (a busy lane, a rate limit) the wait was asked for and the attempt does not count; without
        it the wait doubles with every attempt.
        """
        async with self._database.write() as connection:
            query = select(inbox.c.attempts).where(inbox.c.id == row_id)
            attempts: int = (await connection.execute(query)).scalar_one()
            wait = backoff(attempts) if delay_s is None else timedelta(seconds=delay_s)
            counted = attempts if delay_s is None else max(attempts - 1, 0)
            later = {"note": printable(error), "next_at": self._now() + wait, "attempts": counted, "wakes": 0}
            await connection.execute(update(inbox).where(inbox.c.id == row_id).values(**later))

    async def fail(self, row_id: int, error: str) -> None:
        """Give a row up. It stays visible, and its redelivery opens it anew."""
        given_up = {"status": Status.FAILED, "note": printable(error), "finished_at": self._now()}
        async with self._database.write() as connection:
            await connection.execute(update(inbox).where(inbox.c.id == row_id).values(**given_up))

    async def due(self, now: datetime, *, max_attempts: int, limit: int = 100) -> tuple[tuple[int, int], ...]:
        """Return (id, wake number) of rows to wake, and put off their next wake-up."""
        async with self._database.write() as connection:
            found = await connection.execute(to_wake(now, max_attempts=max_attempts, limit=limit))
            due = tuple((row.id, row.wakes + 1) for row in found)
            for row_id, wakes in due:
                put_off = {"wakes": wakes, "next_at": now + backoff(wakes, first_s=5, cap_s=60)}
                await connection.execute(update(inbox).where(inbox.c.id == row_id).values(**put_off))
        return due

    async def exhausted(self, now: datetime, *, max_attempts: int) -> tuple[InboxRow, ...]:
        """Return pending rows that have used up their attempts and whose last hold is over."""
        waiting = (inbox.c.status == Status.PENDING) & (inbox.c.next_at <= now)
        used_up = select(*_COLUMNS).where(waiting, inbox.c.attempts >= max_attempts).limit(100)
        async with self._database.read() as connection:
            return tuple(_row(row) for row in (await connection.execute(used_up)).mappings())

    async def purge(self, before: datetime) -> int:
        """Delete rows finished before that moment and return how many; keep at least GitHub's three days."""
        ended = or_(inbox.c.status == Status.DONE, inbox.c.status == Status.FAILED)
        async with self._database.write() as connection:
            gone = await connection.execute(delete(inbox).where(ended, inbox.c.finished_at < before))
        return gone.rowcount

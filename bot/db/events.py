"""The global sequence of events: what the dashboard streams and resumes from."""

import json
from collections.abc import Sequence as Many
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db import sequences
from bot.db.engine import Database
from bot.db.rows import Event
from bot.db.schema import events
from telemetry.model import Frozen


class NewEvent(Frozen):
    """An event that has no number yet."""

    incident_id: str | None
    kind: str
    at: datetime
    data: dict[str, JsonValue]


async def append(connection: AsyncConnection, new: Many[NewEvent]) -> None:
    """Number and store events, within the caller's transaction."""
    if not new:
        return
    first = await sequences.take(connection, sequences.Sequence.EVENTS, len(new))
    values = [
        {
            "seq": seq,
            "incident_id": event.incident_id,
            "kind": event.kind,
            "at": event.at,
            "data": json.dumps(event.data),
        }
        for seq, event in enumerate(new, start=first)
    ]
    await connection.execute(insert(events), values)


class Events:
    """Reads of the sequence."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, seq: int, limit: int = 500) -> tuple[Event, ...]:
        """Return at most `limit` events numbered above `seq`, in order."""
        statement = select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings()
            return tuple(Event.model_validate({**row, "data": json.loads(row["data"])}) for row in rows)

    async def last(self) -> int:
        """Return the number of the newest event, 0 when there is none."""
        async with self._database.read() as connection:
            return await sequences.last(connection, sequences.Sequence.EVENTS)

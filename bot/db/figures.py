"""Counts for metrics: what waits in inbox and outbox and for how long, and incidents by stage."""

from datetime import datetime

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.engine import Database
from bot.db.rows import Status
from bot.db.schema import inbox, incidents, outbox
from telemetry.model import Frozen


class Waiting(Frozen):
    """Rows that wait, and when the oldest of them came."""

    rows: int
    oldest: AwareDatetime | None


class Counts(Frozen):
    """The database at one moment. `suspended` are incidents that are no longer woken."""

    inbox: Waiting
    outbox: Waiting
    by_stage: dict[str, int]
    suspended: int


class Figures:
    """Reads of counts, each from an index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self) -> Counts:
        """Return the counts of now.

        Raises:
            DatabaseUnavailableError: the database does not answer.
        """
        stages = select(incidents.c.stage, func.count().label("number")).group_by(incidents.c.stage)
        suspended = select(func.count()).select_from(incidents).where(incidents.c.suspended_at.is_not(None))
        async with self._database.read() as connection:
            arrived = await _waiting(connection, inbox, inbox.c.received_at)
            leaving = await _waiting(connection, outbox, outbox.c.created_at)
            by_stage = {row.stage: row.number for row in await connection.execute(stages)}
            stalled: int = (await connection.execute(suspended)).scalar_one()
        return Counts(
            inbox=arrived,
            outbox=leaving,
            by_stage=by_stage,
            suspended=stalled,
        )


async def _waiting(connection: AsyncConnection, table: Table, since: ColumnElement[datetime]) -> Waiting:
    pending = select(func.count().label("rows"), func.min(since).label("oldest"))
    found = (await connection.execute(pending.where(table.c.status == Status.PENDING))).mappings().one()
    return Waiting.model_validate(dict(found))

"""Counters that hand out numbers in commit order.

A database's own sequence hands out numbers before the commit, so a reader that has seen 7 may miss a 6 that
commits later. Here the counter's row stays locked until the commit: whoever sees n sees everything below n.
"""

from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.schema import sequences


class Sequence(StrEnum):
    """The counters, in the order in which a transaction must take them (so that two never wait crosswise)."""

    EVENTS = "events"
    AUDIT = "audit"


async def take(connection: AsyncConnection, sequence: Sequence, count: int) -> int:
    """Reserve `count` numbers and return the first; the counter stays locked until the commit."""
    counter = sequences.c.name == sequence.value
    await connection.execute(update(sequences).where(counter).values(value=sequences.c.value + count))
    last: int = (await connection.execute(select(sequences.c.value).where(counter))).scalar_one()
    return last - count + 1


async def last(connection: AsyncConnection, sequence: Sequence) -> int:
    """Return the number that was handed out last, 0 when none was."""
    statement = select(sequences.c.value).where(sequences.c.name == sequence.value)
    return (await connection.execute(statement)).scalar_one()

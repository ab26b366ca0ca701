"""Leases: who works on a lane right now. A lease that is not renewed ends by itself."""

from datetime import timedelta

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from agents.ports import Now
from bot.db.engine import Database
from bot.db.schema import leases


class Leases:
    """Leases by lane. A lease guards against double work only; the incident's version guards the truth."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def take(self, lane: str, owner: str, ttl_s: float) -> bool:
        """Return whether `owner` now holds the lane for `ttl_s` seconds.

        False while anybody holds it, the same owner included: a lane is held by one job, not by one process.
        """
        now = self._now()
        granted = {"owner": owner, "expires_at": now + timedelta(seconds=ttl_s)}
        ended = (leases.c.lane == lane) & (leases.c.expires_at <= now)
        async with self._database.write() as connection:
            taken_over = await connection.execute(update(leases).where(ended).values(**granted))
            if taken_over.rowcount == 1:
                return True
            try:
                async with connection.begin_nested():
                    await connection.execute(insert(leases).values(lane=lane, **granted))
            except IntegrityError:
                return False
        return True

    async def renew(self, lane: str, owner: str, ttl_s: float) -> bool:
        """Prolong a lease and return whether `owner` still holds it; False means: stop working."""
        until = self._now() + timedelta(seconds=ttl_s)
        held = (leases.c.lane == lane) & (leases.c.owner == owner)
        async with self._database.write() as connection:
            renewed = await connection.execute(update(leases).where(held).values(expires_at=until))
        return renewed.rowcount == 1

    async def release(self, lane: str, owner: str) -> None:
        """Give the lane back; does nothing when somebody else holds it by now."""
        held = (leases.c.lane == lane) & (leases.c.owner == owner)
        async with self._database.write() as connection:
            await connection.execute(delete(leases).where(held))

"""The truth and the wake-up: the database behind the store, and the queue."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from agents.ports import Now
from bot.app.clock import utc_now
from bot.db.audit import Audit
from bot.db.engine import Database
from bot.db.migrate import upgrade
from bot.db.store import Store
from bot.queue.memory import MemoryQueue
from bot.queue.redis import RedisQueue, connect
from bot.settings import Settings, SettingsError


@dataclass(frozen=True)
class Base:
    """What web and worker share."""

    store: Store
    queue: RedisQueue


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncGenerator[Database]:
    """Yield the database, brought to the newest schema, for the length of the block.

    Raises:
        DatabaseUnavailableError: the database cannot be reached, or stays locked.
        MigrationError: the database holds a schema that this version does not know.
    """
    await upgrade(settings.database)
    async with Database(settings.database) as database:
        yield database


@contextlib.asynccontextmanager
async def open_store(settings: Settings, now: Now = utc_now) -> AsyncGenerator[Store]:
    """Yield the store for the length of the block. Raises what `open_database` raises."""
    async with open_database(settings) as database:
        yield Store(database, now)


@contextlib.asynccontextmanager
async def open_audit(settings: Settings) -> AsyncGenerator[Audit]:
    """Yield the record of who did what. Raises what `open_database` raises."""
    async with open_database(settings) as database:
        yield Audit(database)


@contextlib.asynccontextmanager
async def open_base(settings: Settings) -> AsyncGenerator[Base]:
    """Yield store and queue for the length of the block.

    Raises:
        SettingsError: Redis is not named.
        DatabaseUnavailableError: the database cannot be reached, or stays locked.
        MigrationError: the database holds a schema that this version does not know.
    """
    async with open_store(settings) as store:
        queue = RedisQueue(connect(redis_url(settings)))
        try:
            yield Base(store=store, queue=queue)
        finally:
            await queue.aclose()


def memory_queue(now: Now = utc_now) -> MemoryQueue:
    """Return a queue for one process that works off its own jobs."""
    return MemoryQueue(now)


def redis_url(settings: Settings) -> str:
    """Return where Redis is.

    Raises:
        SettingsError: it is not set, and this process was not started by `sre-space up`.
    """
    if settings.redis_url is None:
        remedy = "Start the service with `sre-space up`, which brings a Redis of its own, or name one (redis://…)"
        raise SettingsError("REDIS_URL", "is not set", remedy)
    return settings.redis_url.get_secret_value()

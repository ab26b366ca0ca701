"""Connections: one short transaction at a time, writers on SQLite serialised from their first statement."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.db.errors import DatabaseUnavailableError

BUSY_TIMEOUT_S: Final = 15.0
_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
_WRITES: Final = "sre_space_writes"


def _configure_sqlite(engine: AsyncEngine) -> None:
    """Make SQLite crash-safe and concurrent: WAL, full sync, BEGIN IMMEDIATE for writers.

    A deferred transaction that reads and then writes fails at once with SQLITE_BUSY when another writer came
    between (https://www.sqlite.org/isolation.html); BEGIN IMMEDIATE waits for its turn instead. The driver's
    own BEGIN is switched off, which also makes SAVEPOINT work.
    """

    @event.listens_for(engine.sync_engine, "connect")
    def connected(dbapi_connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in (
            f"busy_timeout={int(BUSY_TIMEOUT_S * 1000)}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def began(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def with_driver(url: str) -> URL:
    """Return a URL with its asyncio driver, where people and hosting services leave the driver out."""
    parsed = make_url(url)
    driver = _DRIVERS.get(parsed.drivername)
    return parsed if driver is None else parsed.set(drivername=driver)


class Database:
    """An engine with two kinds of transaction: `read` and `write`."""

    def __init__(self, url: str) -> None:
        parsed = with_driver(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_async_engine(parsed, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            _configure_sqlite(self.engine)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Open a transaction that sees one consistent state.

        Raises:
            DatabaseUnavailableError: the database cannot be reached.
        """
        with _translated():
            async with self.engine.connect() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """Open a transaction that commits at the end of the block and rolls back on any exception.

        Raises:
            DatabaseUnavailableError: the database cannot be reached, or stays locked.
        """
        # SQLite has one writer; tasks of one process wait here in order instead of polling the file lock.
        turn = self._turn if self.is_sqlite else contextlib.nullcontext()
        with _translated():
            async with turn, self._writer.begin() as connection:
                yield connection

    async def aclose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()


@contextlib.contextmanager
def _translated() -> Generator[None]:
    """Turn the driver's failures to reach the database into ours; violated constraints pass as they are."""
    try:
        yield
    except IntegrityError:
        raise
    except (OperationalError, InterfaceError) as error:
        raise DatabaseUnavailableError(f"the database did not answer: {error.orig}") from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise DatabaseUnavailableError(f"the database closed the connection: {error.orig}") from error
    except OSError as error:
        raise DatabaseUnavailableError(f"the database cannot be reached: {error}") from error

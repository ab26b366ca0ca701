"""Connections: one short transaction at a time, writers on SQLite serialised from their first statement."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from bot.db.errors import DatabaseUnavailableError, DriverMissingError

BUSY_TIMEOUT_S: Final = 15.0
_CONNECT_TIMEOUT_S: Final = 10.0
_STATEMENT_TIMEOUT_S: Final = 60.0
_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
_WRITES: Final = "sre_space_writes"
_WAL_RETRY_S: Final = 0.02
# Classes of SQLSTATE that say nothing about the statement: connection, who may connect, no such database, rolled back
# for another transaction's sake, resources, locks, shutdown, the system (PostgreSQL documentation, appendix A).
_NOT_OUR_STATEMENT: Final = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58"})


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
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
        _switch_to_wal(cursor)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def began(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _switch_to_wal(cursor: Any) -> None:
    """Switch the database to WAL, as often as it takes: SQLite's busy timeout does not hold for this one statement."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            await_only(asyncio.sleep(_WAL_RETRY_S))
        else:
            return


def with_driver(url: str) -> URL:
    """Return a URL with its asyncio driver, where people and hosting services leave the driver out.

    What libpq reads in a URL and asyncpg does not is translated (`sslmode`) or left out (`channel_binding`).
    """
    parsed = make_url(url)
    driver = _DRIVERS.get(parsed.drivername)
    parsed = parsed if driver is None else parsed.set(drivername=driver)
    if parsed.drivername != _DRIVERS["postgresql"]:
        return parsed
    query = {("ssl" if name == "sslmode" else name): value for name, value in parsed.query.items()}
    query.pop("channel_binding", None)
    return parsed.set(query=query)


def _create_engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(url)
        _configure_sqlite(engine)
        return engine
    application = url.query.get("application_name", "sre-space")
    arguments = {
        "timeout": _CONNECT_TIMEOUT_S,
        "command_timeout": _STATEMENT_TIMEOUT_S,
        "server_settings": {"application_name": application},
    }
    try:
        return create_async_engine(
            url.difference_update_query(["application_name"]), pool_pre_ping=True, connect_args=arguments
        )
    except ModuleNotFoundError as error:
        raise DriverMissingError(error.name or url.drivername) from error


class Database:
    """An engine with two kinds of transaction: `read` and `write`.

    A SQLite database in memory (`sqlite://`) has one connection, so its transactions take turns, reads included.
    """

    def __init__(self, url: str) -> None:
        parsed = with_driver(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._alone = self.is_sqlite and parsed.database in {None, "", ":memory:"}
        if self.is_sqlite and not self._alone:
            Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
        self.engine = _create_engine(parsed)
        # Postgres shows each statement the newest state, unless it is asked for one state for all of them.
        one_state = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self.engine.execution_options(**one_state)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Open a transaction that sees one consistent state.

        Raises:
            DatabaseUnavailableError: the database cannot be reached.
        """
        with _translated():
            async with self._turn if self._alone else contextlib.nullcontext(), self._reader.connect() as connection:
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
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if not error.connection_invalidated and state[:2] not in _NOT_OUR_STATEMENT:
            raise
        raise DatabaseUnavailableError(f"the database did not do it: {error.orig}") from error
    except OSError as error:
        raise DatabaseUnavailableError(f"the database cannot be reached: {error}") from error

"""The current schema in a database in memory: migrated once per process, then copied as SQLite's own bytes."""

from typing import Any

from bot.db.engine import Database
from bot.db.migrate import migrate

_migrated: list[bytes] = []


async def prepare(database: Database) -> None:
    """Give a database in memory the current schema; one that holds anything is migrated as it is."""
    if not await _is_empty(database):
        await migrate(database)
    elif _migrated:
        await in_driver(database, "deserialize", _migrated[0])
    else:
        await migrate(database)
        _migrated.append(await in_driver(database, "serialize"))


async def _is_empty(database: Database) -> bool:
    async with database.engine.connect() as connection:
        tables = await connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        return tables.scalar_one() == 0


async def in_driver(database: Database, method: str, *arguments: object) -> Any:
    """Call a method of the `sqlite3.Connection` behind a database, in the thread that owns it."""
    async with database.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        return await driver._execute(getattr(driver._conn, method), *arguments)  # noqa: SLF001 - aiosqlite passes on less

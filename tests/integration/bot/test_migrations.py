"""Migrations and models describe one schema, and making it is safe."""

import asyncio
import sqlite3

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from bot.db.engine import Database, with_driver
from bot.db.errors import DatabaseUnavailableError, MigrationError
from bot.db.migrate import alembic_config, upgrade
from bot.db.schema import metadata
from tests.support_store import url_of


def difference(path, tables: MetaData) -> list:
    """Return what would have to change in the database for it to be as the models say."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found = compare_metadata(context, tables)
    engine.dispose()
    return found


def test_migrations_make_exactly_what_the_models_say(empty_database):
    """Tables, columns, types, nullability, indexes and constraints."""
    assert difference(empty_database, metadata) == []


def test_the_comparison_notices_a_difference(empty_database):
    """The test above can fail: a table that no migration makes is found."""
    more = MetaData()
    for table in metadata.tables.values():
        table.to_metadata(more)
    Table("forgotten", more, Column("id", Integer, primary_key=True))
    assert difference(empty_database, more) != []


async def test_several_processes_may_migrate_at_once(tmp_path):
    """Web, worker and supervisor all bring the schema up to date when they start."""
    url = url_of(tmp_path / "new.db")
    await asyncio.gather(*(upgrade(url) for _ in range(3)))
    await upgrade(url)
    assert difference(tmp_path / "new.db", metadata) == []


async def test_the_schema_can_be_taken_back(tmp_path):
    """Downgrade leaves nothing but Alembic's own table."""
    url = url_of(tmp_path / "new.db")
    await upgrade(url)
    async with Database(url) as database, database.write() as connection:
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "base"))
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert tables == ["alembic_version"]


async def test_a_database_of_a_later_version_is_refused_by_name(tmp_path):
    """An old program does not run on a schema it does not know."""
    path = tmp_path / "new.db"
    await upgrade(url_of(path))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(MigrationError, match="9999"):
        await upgrade(url_of(path))


async def test_a_database_that_stays_locked_is_unavailable(sqlite_url, monkeypatch):
    """The driver's own error does not leak out, and the next writer succeeds."""
    monkeypatch.setattr("bot.db.engine.BUSY_TIMEOUT_S", 0.05)
    async with Database(sqlite_url) as database, Database(sqlite_url) as other:
        async with other.write():
            with pytest.raises(DatabaseUnavailableError, match="locked"):
                async with database.write():
                    pass
        async with database.write() as connection:
            assert (await connection.exec_driver_sql("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_can_be_made_on_postgres(table):
    """The schema says nothing that only SQLite understands."""
    made = str(CreateTable(table).compile(dialect=postgresql.dialect()))
    assert "DATETIME" not in made
    assert ("BIGSERIAL" in made) == (table.name in {"inbox", "outbox"})


async def test_sqlite_is_set_up_to_survive_a_crash(sqlite_url):
    """WAL, full sync, foreign keys and a busy timeout, on every connection."""
    async with Database(sqlite_url) as database, database.read() as connection:
        values = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert values == ["wal", 2, 1, 15000]


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql://h/d", "postgresql+asyncpg"),
        ("sqlite:///x.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite"),
    ],
)
def test_a_plain_url_gets_its_asyncio_driver(url, driver):
    """People and hosting services leave the driver out."""
    assert with_driver(url).drivername == driver

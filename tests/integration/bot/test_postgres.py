"""What Postgres does otherwise than SQLite; the store's own tests run on both (see conftest.py)."""

import asyncio
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, Table, inspect, update
from sqlalchemy.engine import make_url

from agents.errors import StaleIncidentError
from agents.writes import Done, OpenIssue, PostComment, SyncComment, Topic
from bot.db.engine import Database, with_driver
from bot.db.errors import DatabaseUnavailableError, DriverMissingError, MigrationError
from bot.db.migrate import alembic_config, upgrade
from bot.db.schema import metadata, sequences
from tests.support_store import delivery, incident, open_store


async def difference(url, tables: MetaData) -> list:
    """Return what would have to change in the database for it to be as the models say."""

    def compare(connection):
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), tables)

    async with Database(url) as database, database.read() as connection:
        return await connection.run_sync(compare)


async def test_migrations_make_exactly_what_the_models_say(empty_postgres):
    """Tables, columns, types, nullability, indexes and constraints."""
    assert await difference(empty_postgres, metadata) == []


async def test_the_comparison_notices_a_difference(empty_postgres):
    """The test above can fail: a table that no migration makes is found."""
    more = MetaData()
    for table in metadata.tables.values():
        table.to_metadata(more)
    Table("forgotten", more, Column("id", Integer, primary_key=True))
    assert await difference(empty_postgres, more) != []


async def test_several_processes_may_migrate_at_once(new_postgres):
    """They take turns by an advisory lock."""
    await asyncio.gather(*(upgrade(new_postgres) for _ in range(4)))
    await upgrade(new_postgres)
    assert await difference(new_postgres, metadata) == []


async def test_the_schema_can_be_taken_back(postgres_url):
    """Downgrade leaves nothing but Alembic's own table."""
    async with Database(postgres_url) as database, database.write() as connection:
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "base"))
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert tables == ["alembic_version"]


async def test_a_database_of_a_later_version_is_refused_without_its_password(postgres_url):
    """An old program does not run on a schema it does not know, and says so in words that may be logged."""
    with_password = make_url(postgres_url).set(password="hush").render_as_string(hide_password=False)
    async with Database(with_password) as database, database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(MigrationError, match="9999") as refused:
        await upgrade(with_password)
    assert "hush" not in str(refused.value)


async def answers(url: str) -> bool:
    """Return whether a database answers."""
    async with Database(url) as database, database.read() as connection:
        return (await connection.exec_driver_sql("SELECT true")).scalar_one()


@pytest.mark.parametrize(
    "query", ["sslmode=prefer", "sslmode=disable&channel_binding=prefer", "application_name=other"]
)
async def test_a_url_as_hosting_services_write_it_works(postgres_url, query):
    """They write what libpq reads, which asyncpg does not take."""
    assert await answers(f"{postgres_url}?{query}")


async def test_ssl_that_is_asked_for_is_not_left_out(postgres_url):
    """The server of the tests has none, so the connection is refused."""
    with pytest.raises(DatabaseUnavailableError, match="SSL"):
        await answers(f"{postgres_url}?sslmode=require")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"database": "absent"}, "absent"),
        ({"username": "nobody-here"}, "nobody-here"),
        ({"port": 1}, "cannot be reached"),
    ],
)
async def test_a_database_that_cannot_be_used_is_unavailable_in_plain_words(postgres_url, change, reason):
    """No such database, no such user, no server: the process says which and is started again."""
    url = make_url(postgres_url).set(**change).render_as_string(hide_password=False)
    with pytest.raises(DatabaseUnavailableError, match=reason):
        await answers(url)


def test_a_missing_driver_is_named_with_its_remedy(monkeypatch):
    """The driver, asyncpg, is an extra."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(DriverMissingError, match=r"sre-space\[postgres\]"):
        Database("postgresql://h/d")


def test_a_url_keeps_what_asyncpg_understands():
    """Only `sslmode` and `channel_binding` are translated."""
    url = with_driver("postgres://h/d?sslmode=verify-full&channel_binding=require&prepared_statement_cache_size=0")
    assert dict(url.query) == {"ssl": "verify-full", "prepared_statement_cache_size": "0"}


async def kill_connections(url: str) -> None:
    """End every other connection to the database, as a restart of the server does."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    async with Database(url) as database, database.write() as connection:
        await connection.exec_driver_sql(f"{others} AND pid <> pg_backend_pid()")


async def test_connections_that_were_closed_are_replaced(postgres_url, clock):
    """After a restart of the server the next call just works."""
    async with open_store(postgres_url, clock) as store:
        await store.save(incident(), 0)
        await kill_connections(postgres_url)
        assert (await store.load("inc-1"))[1] == 1


async def test_a_connection_that_breaks_in_mid_transaction_is_unavailable_and_stores_nothing(postgres_url):
    """The driver's own error does not leak out."""
    async with Database(postgres_url) as database:

        async def write() -> None:
            async with database.write() as connection:
                await connection.exec_driver_sql("UPDATE sequences SET value = 7")
                await kill_connections(postgres_url)
                await connection.exec_driver_sql("SELECT 1")

        with pytest.raises(DatabaseUnavailableError):
            await write()
        async with database.read() as connection:
            assert (await connection.exec_driver_sql("SELECT max(value) FROM sequences")).scalar_one() == 0


async def test_a_deadlock_is_worth_another_try(postgres_url):
    """Postgres ends one of the two; that one is told that the database could not, and the other is done."""
    async with Database(postgres_url) as database:
        first_locks = asyncio.Barrier(2)

        async def lock(*names: str) -> None:
            async with database.write() as connection:
                for number, name in enumerate(names):
                    await connection.execute(update(sequences).where(sequences.c.name == name).values(value=1))
                    if number == 0:
                        await first_locks.wait()

        outcomes = await asyncio.gather(lock("events", "audit"), lock("audit", "events"), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["DatabaseUnavailableError", "NoneType"]


async def test_a_read_sees_one_state(postgres_url, clock):
    """What others commit in between does not show."""
    count = "SELECT count(*) FROM inbox"
    async with open_store(postgres_url, clock) as store, Database(postgres_url) as database:
        async with database.read() as connection:
            before = (await connection.exec_driver_sql(count)).scalar_one()
            await store.inbox.put(delivery())
            assert (await connection.exec_driver_sql(count)).scalar_one() == before
        async with database.read() as connection:
            assert (await connection.exec_driver_sql(count)).scalar_one() == before + 1


async def test_workers_on_one_incident_never_wait_for_each_other_crosswise(postgres_url, clock):
    """Saving, delivering and retrying lock in one order, so that none is ever ended by a deadlock."""
    async with open_store(postgres_url, clock) as one, open_store(postgres_url, clock) as other:
        comment = PostComment(key="note", topic=Topic.FLAPPING)
        await one.save(incident().send(OpenIssue(), SyncComment(), comment), 0)

        async def deliver(store):
            row, seen, version = await newest(store)
            await store.delivered(row, seen.send(SyncComment(), comment), version, result=Done(number=9))

        async def save(store):
            _, seen, version = await newest(store)
            await store.save(seen.send(SyncComment(), comment), version)

        async def retry(store):
            row, *_ = await newest(store)
            await store.outbox.retry(row.id, "502 from GitHub")

        work = [step(store) for _ in range(8) for store in (one, other) for step in (deliver, save, retry)]
        outcomes = await asyncio.gather(*work, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {type(None), StaleIncidentError}


async def newest(store):
    """Return the last write of the incident, the incident, and its version."""
    seen, version = await store.load("inc-1")
    row = (await store.outbox.pending("inc-1"))[-1]
    return row, seen, version


async def test_two_sweepers_never_wake_the_same_twice(postgres_url, clock):
    """Rows that one has taken are skipped by the other instead of waited for."""
    async with open_store(postgres_url, clock) as one, open_store(postgres_url, clock) as other:
        for number in range(20):
            await one.inbox.put(delivery(f"d-{number}"))
        clock.move(60)
        found = await asyncio.gather(*(store.inbox.due(clock(), max_attempts=3) for store in (one, other)))
    assert sorted(row_id for due in found for row_id, _ in due) == list(range(1, 21))


@pytest.mark.parametrize("name", ["x" * 300, "nul \0 inside", "😀" * 300])
async def test_a_text_that_its_column_cannot_hold_is_fitted(store, name):
    """SQLite takes everything; Postgres has limits, and telemetry must not be able to fail an incident by its name."""
    seen = incident(service=name, title=name * 40)
    await store.save(seen, 0)
    assert (await store.load("inc-1"))[0] == seen
    [row] = (await store.read_model.overview()).incidents
    assert row.service.startswith("nul \ufffd") or row.service == name[:200]


async def test_a_reason_with_a_nul_is_kept_without_it(store):
    """An error's text may hold what a server answered."""
    row_id = await store.inbox.put(delivery())
    await store.inbox.retry(row_id, "answer: \0")
    assert (await store.inbox.get(row_id)).note == "answer: \ufffd"

"""The audit's hash chain over real databases: what is changed afterwards shows."""

import asyncio

import pytest

from bot.db.audit import entry
from bot.db.engine import Database
from tests.support_store import START, open_store


async def tamper(url: str, statement: str) -> None:
    """Run SQL as somebody would who has the database."""
    async with Database(url) as database, database.write() as connection:
        await connection.exec_driver_sql(statement)


async def fill(store, count: int = 4) -> None:
    """Write some entries."""
    for number in range(count):
        await store.audit.append(entry("stage_changed", "Scout", START, "inc-1", note=f"entry {number} äöü"))


async def test_an_untouched_chain_is_intact(store):
    """Its head is the last row's hash."""
    await fill(store)
    report = await store.audit.verify()
    rows = [row async for row in store.audit.export()]
    assert report.intact
    assert (report.rows, report.head) == (4, rows[-1].hash)


async def test_an_empty_chain_is_intact(store):
    """Nothing happened yet."""
    assert (await store.audit.verify()).intact


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE audit SET actor = 'Mallory' WHERE seq = 2", 2),
        ("UPDATE audit SET data = '{}' WHERE seq = 3", 3),
        ("UPDATE audit SET at = '2031-01-01 00:00:00.000000' WHERE seq = 1", 1),
        ("UPDATE audit SET hash = previous_hash WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("DELETE FROM audit", 1),
    ],
)
async def test_a_changed_or_missing_row_is_found(store, url, statement, first_bad):
    """Whatever is changed, the first row that no longer fits is named."""
    await fill(store)
    await tamper(url, statement)
    report = await store.audit.verify()
    assert not report.intact
    assert report.first_bad == first_bad


async def test_two_processes_extend_one_chain(url, clock):
    """Entries written at once still follow each other."""
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        await asyncio.gather(fill(one, 10), fill(other, 10))
        report = await one.audit.verify()
    assert (report.intact, report.rows) == (True, 20)


async def test_a_long_audit_is_exported_whole(store):
    """Also beyond one batch of reading."""
    await store.audit.append(*(entry("stage_changed", "Scout", START, None) for _ in range(1203)))
    assert [row.seq async for row in store.audit.export()] == list(range(1, 1204))
    assert (await store.audit.verify()).rows == 1203

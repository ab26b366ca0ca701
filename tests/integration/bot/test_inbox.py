"""The inbox over real SQLite: every delivery once, none lost, none tried for ever."""

import asyncio

from bot.db.rows import Status
from tests.support_store import delivery, open_store

MAX = 3


async def test_a_delivery_is_stored_once_by_its_guid(store):
    """GitHub's redelivery of a delivery has the same guid."""
    assert await store.inbox.put(delivery()) == 1
    assert await store.inbox.put(delivery()) is None
    assert len(await store.inbox.pending()) == 1


async def test_the_same_content_under_another_guid_is_known(store):
    """A recorded delivery that is sent again with a fresh guid changes nothing."""
    assert await store.inbox.put(delivery("a", semantic_key="k"))
    assert await store.inbox.put(delivery("b", semantic_key="k")) is None


async def test_deliveries_without_a_semantic_key_differ_by_guid_alone(store):
    """Signals have none; two of them are two."""
    assert await store.inbox.put(delivery("a"))
    assert await store.inbox.put(delivery("b"))


async def test_a_failed_delivery_that_is_sent_again_is_opened_anew(store):
    """Redelivery is how people repair a failure."""
    row_id = await store.inbox.put(delivery())
    await store.inbox.fail(row_id, "broken")
    assert await store.inbox.put(delivery()) == row_id
    row = await store.inbox.get(row_id)
    assert (row.status, row.attempts, row.note) == (Status.PENDING, 0, "")


async def test_two_processes_storing_the_same_delivery_store_it_once(url, clock):
    """Both may answer GitHub, only one has it."""
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        ids = await asyncio.gather(*(store.inbox.put(delivery()) for store in (one, other) for _ in range(5)))
    assert sorted(row_id is None for row_id in ids) == [False, *[True] * 9]


async def test_what_is_finished_is_claimed_no_more(store):
    """A wake-up that comes late does no harm."""
    row_id = await store.inbox.put(delivery())
    assert (await store.inbox.claim(row_id)).attempts == 1
    await store.inbox.finish(row_id)
    assert await store.inbox.claim(row_id) is None


async def test_pending_deliveries_of_one_issue_come_in_order(store):
    """A lane is worked off in the order in which things happened."""
    for guid, number in (("a", 5), ("b", 6), ("c", 5)):
        await store.inbox.put(delivery(guid, repo_id=7, number=number))
    rows = await store.inbox.pending(repo_id=7, number=5)
    assert [row.guid for row in rows] == ["a", "c"]


async def test_a_lost_wake_up_is_made_up_for(store, clock):
    """A row that nobody takes up is due after the grace, then again and again, ever more seldom."""
    row_id = await store.inbox.put(delivery())
    assert await store.inbox.due(clock(), max_attempts=MAX) == ()
    clock.move(2)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ((row_id, 1),)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ()
    clock.move(5)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ((row_id, 2),)
    clock.move(5)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ()


async def test_a_row_that_kills_its_worker_is_exhausted_after_some_attempts(store, clock):
    """Claimed, never finished: after the limit it is due no more but exhausted."""
    row_id = await store.inbox.put(delivery())
    for _ in range(MAX):
        clock.move(120)
        assert await store.inbox.exhausted(clock(), max_attempts=MAX) == ()
        assert len(await store.inbox.due(clock(), max_attempts=MAX)) == 1
        await store.inbox.claim(row_id)
    clock.move(120)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ()
    assert [row.id for row in await store.inbox.exhausted(clock(), max_attempts=MAX)] == [row_id]


async def test_a_wait_that_was_asked_for_is_no_attempt(store, clock):
    """A busy lane or a rate limit never uses a delivery up."""
    row_id = await store.inbox.put(delivery())
    for _ in range(MAX + 2):
        await store.inbox.claim(row_id)
        await store.inbox.retry(row_id, "busy", delay_s=0.5)
    clock.move(1)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ((row_id, 1),)


async def test_a_failure_waits_longer_each_time(store, clock):
    """Back-off: 2 s after the first failure, 4 s after the second."""
    row_id = await store.inbox.put(delivery())
    for wait_s in (2, 4):
        await store.inbox.claim(row_id)
        await store.inbox.retry(row_id, "502")
        clock.move(wait_s - 0.5)
        assert await store.inbox.due(clock(), max_attempts=MAX) == ()
        clock.move(0.5)
        assert len(await store.inbox.due(clock(), max_attempts=MAX)) == 1


async def test_only_old_finished_rows_are_purged(store, clock):
    """What waits is never deleted, however old."""
    done = await store.inbox.put(delivery("a"))
    waiting = await store.inbox.put(delivery("b"))
    await store.inbox.finish(done)
    clock.move(60)
    assert await store.inbox.purge(clock()) == 1
    assert await store.inbox.get(done) is None
    assert await store.inbox.get(waiting) is not None

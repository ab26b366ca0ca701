"""The inbox over real SQLite: every delivery once, none lost, none tried for ever."""

import asyncio

from sqlalchemy.dialects import postgresql

from bot.db.inbox import to_wake
from bot.db.rows import InboxRow, Status
from tests.support_store import START, delivery, open_store

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


async def test_a_delivery_comes_back_as_it_was_put(store, clock):
    """With when it came, and nothing done about it so far."""
    put = delivery(
        *("d-9",),
        semantic_key="k",
        source="scout",
        event="signal",
        action="created",
        repo_id=7,
        installation_id=3,
        number=5,
        sender="maria",
        payload='{"a": 1}',
    )
    row_id = await store.inbox.put(put)
    row = await store.inbox.get(row_id)
    assert row == InboxRow(
        **put.model_dump(), id=row_id, status=Status.PENDING, attempts=0, note="", received_at=clock()
    )


async def test_only_the_failed_delivery_that_is_sent_again_is_opened_anew(store, clock):
    """Others that failed stay failed, and what is done stays done; its attempts and wake-ups start from zero."""
    again, other, done = [await store.inbox.put(delivery(guid)) for guid in ("again", "other", "done")]
    clock.move(2)
    await store.inbox.due(clock(), max_attempts=MAX)
    for row_id in (again, other):
        await store.inbox.claim(row_id)
        await store.inbox.fail(row_id, "broken")
    await store.inbox.finish(done)
    assert await store.inbox.put(delivery("done")) is None
    assert await store.inbox.put(delivery("again")) == again
    states = [(await store.inbox.get(row_id)).status for row_id in (again, other, done)]
    assert states == [Status.PENDING, Status.FAILED, Status.DONE]
    clock.move(1.9)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ()
    clock.move(0.1)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ((again, 1),)
    clock.move(3600)
    assert await store.inbox.purge(clock()) == 2


async def test_a_claim_is_of_one_pending_row_and_holds_for_ten_seconds(store, clock):
    """Neither another row nor one that failed is taken up."""
    one, other = await store.inbox.put(delivery("a")), await store.inbox.put(delivery("b"))
    claimed = await store.inbox.claim(one)
    assert claimed == await store.inbox.get(one)
    assert (claimed.guid, claimed.attempts) == ("a", 1)
    assert (await store.inbox.get(other)).attempts == 0
    clock.move(9.9)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ((other, 1),)
    clock.move(0.1)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ((one, 1),)
    await store.inbox.fail(one, "broken")
    assert await store.inbox.claim(one) is None


async def test_pending_deliveries_are_found_by_repository_and_number(store):
    """Each alone, both, and not more than are asked for."""
    for guid, repo_id, number in (("a", 7, 5), ("b", 7, 6), ("c", 8, 5), ("d", 8, 6)):
        await store.inbox.put(delivery(guid, repo_id=repo_id, number=number))
    await store.inbox.finish(4)

    async def found(**wanted):
        return "".join(row.guid for row in await store.inbox.pending(**wanted))

    assert await found() == "abc"
    assert await found(repo_id=7) == "ab"
    assert await found(number=5) == "ac"
    assert await found(repo_id=8, number=5) == "c"
    assert await found(limit=2) == "ab"


async def test_what_is_told_about_a_row_is_told_about_that_row_alone(store, clock):
    """Finished, failed or put off: the others wait as before."""
    rows = [await store.inbox.put(delivery(guid)) for guid in "abcd"]
    await store.inbox.finish(rows[0], "no change\0")
    await store.inbox.fail(rows[1], "broken\0")
    await store.inbox.retry(rows[2], "busy\0", delay_s=60)
    kept = [(row.status, row.note) for row in [await store.inbox.get(row_id) for row_id in rows]]
    assert kept == [
        (Status.DONE, "no change\ufffd"),
        (Status.FAILED, "broken\ufffd"),
        (Status.PENDING, "busy\ufffd"),
        (Status.PENDING, ""),
    ]
    clock.move(2)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ((rows[3], 1),)
    clock.move(3600)
    assert await store.inbox.purge(clock()) == 2


async def test_a_wait_that_was_asked_for_gives_back_no_attempt_that_was_not_made(store):
    """Zero attempts stay zero, and of two one remains."""
    row_id = await store.inbox.put(delivery())
    await store.inbox.retry(row_id, "busy", delay_s=0.5)
    assert (await store.inbox.get(row_id)).attempts == 0
    await store.inbox.claim(row_id)
    await store.inbox.retry(row_id, "502")
    await store.inbox.claim(row_id)
    await store.inbox.retry(row_id, "busy", delay_s=0.5)
    assert (await store.inbox.get(row_id)).attempts == 1


async def test_a_wait_that_was_asked_for_starts_the_wake_ups_anew(store, clock):
    """The next lost wake-up is made up for soon."""
    row_id = await store.inbox.put(delivery())
    for _ in range(3):
        clock.move(120)
        await store.inbox.due(clock(), max_attempts=MAX)
    await store.inbox.retry(row_id, "busy", delay_s=7)
    clock.move(6.9)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ()
    clock.move(0.1)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ((row_id, 1),)


async def test_wake_ups_become_ever_more_seldom_up_to_a_minute(store, clock):
    """5, 10, 20, 40 seconds, and from then on a minute."""
    await store.inbox.put(delivery())
    clock.move(2)
    assert await store.inbox.due(clock(), max_attempts=MAX)
    for wait_s in (5, 10, 20, 40, 60, 60):
        clock.move(wait_s - 0.1)
        assert await store.inbox.due(clock(), max_attempts=MAX) == ()
        clock.move(0.1)
        assert len(await store.inbox.due(clock(), max_attempts=MAX)) == 1


async def test_due_deliveries_are_woken_oldest_first_and_not_all_at_once(store, clock):
    """The rest has its turn in the next sweep; each is put off by itself."""
    rows = [await store.inbox.put(delivery(guid)) for guid in "abc"]
    clock.move(2)
    assert await store.inbox.due(clock(), max_attempts=MAX, limit=2) == ((rows[0], 1), (rows[1], 1))
    assert await store.inbox.due(clock(), max_attempts=MAX, limit=2) == ((rows[2], 1),)


async def test_only_what_still_waits_is_woken_or_given_up(store, clock):
    """Finished and failed rows have no attempts left to make; those held are left to their worker."""
    rows = [await store.inbox.put(delivery(guid)) for guid in ("done", "failed", "held", "fresh")]
    for row_id in rows[:3]:
        for _ in range(MAX):
            await store.inbox.claim(row_id)
    await store.inbox.finish(rows[0])
    await store.inbox.fail(rows[1], "broken")
    clock.move(9.9)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ((rows[3], 1),)
    assert await store.inbox.exhausted(clock(), max_attempts=MAX) == ()
    clock.move(0.1)
    assert await store.inbox.due(clock(), max_attempts=MAX) == ()
    assert [row.guid for row in await store.inbox.exhausted(clock(), max_attempts=MAX)] == ["held"]
    assert await store.inbox.exhausted(clock(), max_attempts=MAX + 1) == ()


async def test_what_has_ended_at_that_moment_is_kept(store, clock):
    """Purged is what ended before it, done or failed."""
    done, failed = await store.inbox.put(delivery("a")), await store.inbox.put(delivery("b"))
    await store.inbox.finish(done)
    await store.inbox.fail(failed, "broken")
    assert await store.inbox.purge(clock()) == 0
    clock.move(0.001)
    assert await store.inbox.purge(clock()) == 2


def test_two_sweepers_that_wake_at_once_wake_different_rows():
    """On Postgres each leaves out what the other has locked, instead of waiting for it."""
    query = to_wake(START, max_attempts=MAX, limit=5)
    assert str(query.compile(dialect=postgresql.dialect())).endswith("FOR UPDATE SKIP LOCKED")

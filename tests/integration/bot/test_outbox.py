"""The outbox over real databases: each write once, in order, and none held up by another incident's."""

import pytest
from sqlalchemy import select

from agents.incident import Stage
from agents.writes import Done, LabelIssue, OpenIssue, Refused, SyncComment
from bot.db.outbox import settle
from bot.db.rows import Status
from bot.db.schema import outbox
from tests.support_store import incident


def label(name: str = "x", key: str = "label") -> LabelIssue:
    """Return a write."""
    return LabelIssue(key=key, add=(name,))


async def asked(store, *writes, incident_id="inc-1"):
    """Store an incident that asks for writes and return the rows."""
    known = await store.load(incident_id)
    before, version = known or (incident(incident_id, stage=Stage.ESCALATED), 0)
    await store.save(before.evolve(outgoing=writes), version)
    return await store.outbox.pending(incident_id)


async def settled(store, row, result=None) -> bool:
    """Settle a row by itself."""
    async with store._database.write() as connection:
        return await settle(connection, row.id, result, store._now())


async def test_a_row_holds_all_that_is_known_about_a_write(store, clock):
    """It can be found again by its number, whatever became of it."""
    [row] = await asked(store, label())
    assert (row.key, row.incident_id, row.write) == ("inc-1:label", "inc-1", label())
    assert (row.status, row.attempts, row.next_at) == (Status.PENDING, 0, clock())
    assert await store.outbox.get(row.id) == row
    assert await store.outbox.get(row.id + 1) is None


async def test_the_same_key_of_two_incidents_is_two_writes(store):
    """And each incident sees its own."""
    [one] = await asked(store, label("a"))
    [two] = await asked(store, label("b"), incident_id="inc-2")
    assert one.id != two.id
    assert (one.write, two.write) == (label("a"), label("b"))


async def test_a_write_that_waits_is_replaced_by_what_is_asked_for_now(store):
    """It keeps its place, and the others their content."""
    first, second = await asked(store, label("old"), label("other", "second"))
    again = await asked(store, label("new"))
    assert [(row.id, row.write) for row in again] == [(first.id, label("new")), (second.id, label("other", "second"))]


@pytest.mark.parametrize(
    ("result", "status"),
    [(None, Status.DONE), (Done(), Status.DONE), (Refused(reason="no"), Status.REFUSED)],
)
async def test_a_write_is_settled_once_and_alone(store, result, status):
    """Without a result it counts as carried out; the writes beside it wait on."""
    one, other = await asked(store, label(), label(key="other"))
    assert await settled(store, one, result)
    assert not await settled(store, one, Done())
    assert (await store.outbox.get(one.id)).status is status
    assert await store.outbox.pending("inc-1") == (other,)
    async with store._database.read() as connection:
        kept = (await connection.execute(select(outbox.c.result).where(outbox.c.id == one.id))).scalar_one()
    assert kept == (None if result is None else result.model_dump_json())


async def test_after_a_write_that_is_done_the_next_one_is_still_asked_for(store):
    """One that is known does not stop those behind it."""
    [row] = await asked(store, label())
    await settled(store, row)
    [after] = await asked(store, label(), label(key="second"))
    assert after.key == "inc-1:second"
    [both, new] = await asked(store, label("y", "second"), label(key="third"))
    assert (both.write, new.key) == (label("y", "second"), "inc-1:third")


@pytest.mark.parametrize("end", ["refused", "given up"])
async def test_what_did_not_work_may_be_asked_for_anew(store, clock, end):
    """With all its tries; the rows of others stay."""
    [other] = await asked(store, label("b"), incident_id="inc-2")
    [row] = await asked(store, label())
    await store.outbox.retry(row.id, "502", delay_s=0)
    if end == "refused":
        await settled(store, row, Refused(reason="no"))
    else:
        await store.outbox.fail(row.id, "hopeless")
    clock.move(1)
    [again] = await asked(store, label())
    assert (again.attempts, again.next_at) == (0, clock())
    assert await store.outbox.pending("inc-2") == (other,)


async def test_a_sticky_comment_that_was_given_up_may_be_asked_for_anew(store):
    """Like every write."""
    [row] = await asked(store, SyncComment())
    await store.outbox.fail(row.id, "hopeless")
    assert len(await asked(store, SyncComment())) == 1


async def test_a_new_write_waits_for_those_that_were_put_off_before_it(store, clock):
    """But neither for another incident's nor for those that are settled."""
    [first] = await asked(store, label())
    await store.outbox.retry(first.id, "slow down", delay_s=60)
    then = (await store.outbox.get(first.id)).next_at
    assert [row.next_at for row in await asked(store, label(key="second"))] == [then, then]
    assert [row.next_at for row in await asked(store, label(), incident_id="inc-2")] == [clock()]
    for row in await store.outbox.pending("inc-1"):
        await settled(store, row)
    assert [row.next_at for row in await asked(store, label(key="third"))] == [clock()]


async def test_a_new_write_behind_one_that_could_go_may_go_now(store, clock):
    """Its time is not before it was asked for."""
    await asked(store, label())
    clock.move(5)
    assert [row.next_at for row in await asked(store, label(key="second"))][1] == clock()


async def test_a_failure_waits_longer_each_time(store, clock):
    """2 s after the first failure, 4 s after the second, 8 s after the third."""
    [row] = await asked(store, label())
    for tries, wait_s in enumerate((2, 4, 8), start=1):
        await store.outbox.retry(row.id, "502")
        after = await store.outbox.get(row.id)
        assert after.attempts == tries
        assert (after.next_at - clock()).total_seconds() == wait_s
        clock.move(wait_s)


async def test_a_failure_puts_off_what_is_behind_it_and_nothing_else(store, clock):
    """Not what is before it, not what waits longer, not what is settled, not another incident's writes."""
    await asked(store, label(), incident_id="inc-2")
    rows = await asked(store, *(label(key=key) for key in ("before", "failed", "behind", "settled")))
    await asked(store, label(), incident_id="inc-3")
    await settled(store, rows[3])
    await store.outbox.retry(rows[1].id, "502", delay_s=30)

    def waits(row):
        return (row.next_at - clock()).total_seconds()

    assert [waits(row) for row in await store.outbox.pending("inc-1")] == [0, 30, 30]
    assert waits(await store.outbox.get(rows[3].id)) == 0
    for other in ("inc-2", "inc-3"):
        assert [waits(row) for row in await store.outbox.pending(other)] == [0]
    await store.outbox.retry(rows[2].id, "slow down", delay_s=90)
    await store.outbox.retry(rows[1].id, "502", delay_s=60)
    assert [waits(row) for row in await store.outbox.pending("inc-1")] == [0, 60, 90]
    assert [row.attempts for row in await store.outbox.pending("inc-1")] == [0, 2, 1]


async def test_a_failed_try_is_progress(store, clock):
    """Who tries is not stuck: the incident's wake-ups start anew, and another incident's do not."""
    [row] = await asked(store, label())
    await asked(store, label(), incident_id="inc-2")
    for _ in range(3):
        clock.move(120)
        await store.due(clock())
    await store.outbox.retry(row.id, "502", delay_s=0)
    clock.move(120)
    assert dict(await store.due(clock())) == {"inc-1": 1, "inc-2": 4}


async def test_a_failed_try_ends_a_suspension(store, clock):
    """And the incident is due two seconds later."""
    [row] = await asked(store, label())
    clock.move(2)
    await store.due(clock(), max_wakes=1)
    clock.move(120)
    assert await store.suspend_stalled(clock(), max_wakes=1) == ("inc-1",)
    assert await store.due(clock()) == ()
    await store.outbox.retry(row.id, "502", delay_s=0)
    clock.move(1.9)
    assert await store.due(clock()) == ()
    clock.move(0.1)
    assert await store.due(clock()) == (("inc-1", 1),)


async def test_a_write_is_given_up_once_its_tries_are_used_up(store):
    """Neither one that has tries left nor one that is settled; each with its last error, oldest first."""
    rows = await asked(store, *(label(key=key) for key in ("a", "b", "settled", "fresh")))
    for row in rows[:3]:
        await store.outbox.retry(row.id, "first", delay_s=0)
        await store.outbox.retry(row.id, f"last of {row.key}\0", delay_s=0)
    await settled(store, rows[2])
    used_up = await store.outbox.exhausted(max_attempts=2)
    assert [(row.id, error) for row, error in used_up] == [
        (rows[0].id, "last of inc-1:a\ufffd"),
        (rows[1].id, "last of inc-1:b\ufffd"),
    ]
    assert await store.outbox.exhausted(max_attempts=3) == ()
    assert [error for row, error in await store.outbox.exhausted(max_attempts=0) if row.id == rows[3].id] == [""]


async def test_a_write_that_is_given_up_makes_way(store):
    """For those behind it, which wait on."""
    one, other = await asked(store, OpenIssue(), label())
    await store.outbox.fail(one.id, "hopeless\0")
    assert (await store.outbox.get(one.id)).status is Status.FAILED
    assert await store.outbox.pending("inc-1") == (other,)

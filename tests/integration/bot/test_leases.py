"""Leases over real SQLite: one job per lane, whatever dies."""

import asyncio

from tests.support_store import open_store


async def test_a_lane_is_held_by_one_job(store):
    """Others wait, and so does another job of the same owner."""
    assert await store.lease("lane", "one", 10)
    assert not await store.lease("lane", "two", 10)
    assert not await store.lease("lane", "one", 10)
    assert await store.lease("other lane", "two", 10)


async def test_of_many_processes_exactly_one_gets_the_lane(url, clock):
    """Two stores on one file, ten tries at once."""
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        got = await asyncio.gather(
            *(
                store.lease("lane", f"{index}-{number}", 10)
                for index, store in enumerate((one, other))
                for number in range(5)
            )
        )
    assert got.count(True) == 1


async def test_a_lease_that_has_ended_is_taken_over_by_exactly_one(url, clock):
    """A worker that was killed keeps its lane for the length of the lease and no longer."""
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        await one.lease("lane", "dead", 10)
        clock.move(9)
        assert not await other.lease("lane", "early", 10)
        clock.move(1)
        got = await asyncio.gather(*(store.lease("lane", f"new-{id(store)}", 10) for store in (one, other)))
    assert sorted(got) == [False, True]


async def test_a_renewed_lease_holds_on(store, clock):
    """Renewal counts from now."""
    await store.lease("lane", "one", 10)
    clock.move(9)
    assert await store.renew("lane", "one", 10)
    clock.move(9)
    assert not await store.lease("lane", "two", 10)


async def test_who_lost_the_lane_is_told_and_cannot_give_it_away(store, clock):
    """A worker that slept too long neither renews nor releases somebody else's lease."""
    await store.lease("lane", "slow", 10)
    clock.move(10)
    await store.lease("lane", "new", 10)
    assert not await store.renew("lane", "slow", 10)
    await store.release("lane", "slow")
    assert not await store.lease("lane", "third", 10)


async def test_a_released_lane_is_free(store):
    """At once, without waiting for the lease to end."""
    await store.lease("lane", "one", 10)
    await store.release("lane", "one")
    assert await store.lease("lane", "two", 10)


async def test_what_one_lane_does_is_nothing_to_another_of_its_owner(store, clock):
    """Renewal and release are of one lane, and so is a lease that has ended."""
    await store.lease("a", "one", 10)
    await store.lease("b", "one", 10)
    clock.move(9)
    assert await store.renew("a", "one", 10)
    clock.move(1)
    assert not await store.lease("a", "two", 10)
    assert await store.lease("c", "two", 10)
    assert not await store.lease("c", "three", 10)
    assert await store.lease("b", "two", 10)
    await store.release("b", "two")
    assert not await store.lease("c", "three", 10)


async def test_a_lease_that_was_taken_over_is_the_new_owners(store, clock):
    """For its whole length, and only they renew it or give it back."""
    await store.lease("lane", "dead", 10)
    clock.move(10)
    assert await store.lease("lane", "new", 20)
    assert await store.renew("lane", "new", 20)
    clock.move(19)
    assert not await store.lease("lane", "third", 10)
    assert not await store.renew("lane", "dead", 10)
    await store.release("lane", "new")
    assert await store.lease("lane", "third", 10)


async def test_a_lane_that_nobody_holds_cannot_be_renewed(store):
    """Renewal grants nothing."""
    assert not await store.renew("lane", "one", 10)
    assert await store.lease("lane", "two", 10)

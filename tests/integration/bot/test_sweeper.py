"""The sweeper over a real store: nothing that waits is forgotten, nothing hopeless spins."""

import asyncio
from datetime import timedelta

import pytest

from agents.incident import Stage
from agents.writes import OpenIssue
from bot.db.errors import DatabaseUnavailableError
from bot.db.rows import Status
from bot.queue.memory import MemoryQueue
from bot.queue.port import QueueUnavailableError
from bot.sweeper import LANE, Given, Sweeper, SweepPolicy
from tests.support_store import delivery, incident, open_store

POLICY = SweepPolicy(every_s=0.01, delivery_attempts=3, write_attempts=2, incident_wakes=3)


class FlakyQueue(MemoryQueue):
    """A queue whose Redis can be taken away."""

    silent = False

    async def enqueue(self, name, *args, delay_s=0.0, job_id=None):
        """Fail while Redis is away."""
        if self.silent:
            raise QueueUnavailableError("connection refused")
        return await super().enqueue(name, *args, delay_s=delay_s, job_id=job_id)


@pytest.fixture
def queue(clock):
    """A queue."""
    return FlakyQueue(clock)


@pytest.fixture
def said():
    """What people were told."""
    return []


@pytest.fixture
def sweeper(store, queue, clock, said):
    """A sweeper."""
    return make(store, queue, clock, said)


def make(store, queue, clock, said, owner="one", policy=POLICY):
    """Return a sweeper."""

    async def gave_up(given):
        said.append((given.kind, given.id, given.reason))

    return Sweeper(store=store, queue=queue, gave_up=gave_up, now=clock, owner=owner, policy=policy)


def waiting(queue):
    """Return the jobs that wait."""
    return [(job.name, job.args) for job in queue.waiting]


async def test_deliveries_and_incidents_whose_wake_up_was_lost_are_woken(store, queue, clock, sweeper):
    """After Redis was flushed, for instance: the database still knows."""
    await store.inbox.put(delivery())
    await store.save(incident().send(OpenIssue()), 0)
    await store.save(incident("inc-2", stage=Stage.ORIENTING), 0)
    await store.save(incident("inc-3", stage=Stage.AWAITING_APPROVAL), 0)
    assert await sweeper.sweep() == 0
    clock.move(11)
    assert await sweeper.sweep() == 3
    assert sorted(waiting(queue)) == [
        ("advance", ("inc-1",)),
        ("advance", ("inc-2",)),
        ("process_delivery", (1,)),
    ]


async def test_nothing_is_woken_again_at_once(store, queue, clock, sweeper):
    """A worker that is slow is not flooded."""
    await store.inbox.put(delivery())
    clock.move(2)
    assert [await sweeper.sweep() for _ in range(20)] == [1] + [0] * 19


async def test_a_silent_queue_is_made_up_for_when_it_is_back(store, queue, clock, sweeper):
    """The sweep goes on, and nothing is used up in between."""
    await store.inbox.put(delivery())
    queue.silent = True
    for _ in range(20):
        clock.move(120)
        assert await sweeper.sweep() == 0
    queue.silent = False
    clock.move(120)
    assert await sweeper.sweep() == 1


async def test_a_delivery_that_kills_its_worker_is_given_up_and_said_once(store, queue, clock, sweeper, said):
    """After three attempts; then silence."""
    row_id = await store.inbox.put(delivery("poison"))
    for _ in range(10):
        clock.move(120)
        await sweeper.sweep()
        await store.inbox.claim(row_id)
    assert said == [("delivery", "poison", "the worker ended while it worked on it")]
    assert (await store.inbox.get(row_id)).status is Status.FAILED


async def test_a_write_that_always_fails_is_given_up_and_said_once(store, clock, sweeper, said):
    """With its last error, and the writes behind it can go."""
    await store.save(incident().send(OpenIssue()), 0)
    [row] = await store.outbox.pending("inc-1")
    for _ in range(5):
        clock.move(600)
        await store.outbox.retry(row.id, "502 from GitHub")
        await sweeper.sweep()
    assert said == [("write", "inc-1:open_issue", "502 from GitHub")]
    assert await store.outbox.pending("inc-1") == ()


async def test_an_incident_that_gets_no_further_is_given_up_and_said_once(store, clock, sweeper, said):
    """It was woken three times, and nothing was ever saved."""
    await store.save(incident(stage=Stage.ORIENTING), 0)
    for _ in range(20):
        clock.move(120)
        await sweeper.sweep()
    assert [(kind, incident_id) for kind, incident_id, _ in said] == [("incident", "inc-1")]


async def until(condition):
    """Wait until something is so; the test's own timeout ends a wait in vain."""
    while not condition():  # noqa: ASYNC110 - the sweeper has no event to wait for
        await asyncio.sleep(0.005)


async def test_only_one_of_two_processes_sweeps(url, clock, queue, said):
    """The other stands by, and takes over when the first one's lease ends."""
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        first, second = make(one, queue, clock, said, "first"), make(other, queue, clock, said, "second")
        stop_first, stop_second = asyncio.Event(), asyncio.Event()
        running = [asyncio.create_task(first.run(stop_first))]
        await one.inbox.put(delivery())
        clock.move(2)
        await until(lambda: queue.waiting)
        running.append(asyncio.create_task(second.run(stop_second)))
        stop_first.set()
        await running[0]
        await one.inbox.put(delivery("next"))
        clock.move(2)
        await until(lambda: len(queue.waiting) == 2)
        stop_second.set()
        await running[1]


async def test_a_silent_database_does_not_end_the_sweeper(store, clock, queue, said, monkeypatch):
    """It goes on when the database is back."""
    sweeper = make(store, queue, clock, said)
    failures = iter([True, True])
    real = store.inbox.due

    async def due(*args, **kwargs):
        if next(failures, False):
            raise DatabaseUnavailableError("locked")
        return await real(*args, **kwargs)

    monkeypatch.setattr(store.inbox, "due", due)
    await store.inbox.put(delivery())
    clock.move(2)
    stop = asyncio.Event()
    running = asyncio.create_task(sweeper.run(stop))
    await until(lambda: queue.waiting)
    stop.set()
    await running


async def turns(sweeper, clock, times):
    """Let a sweeper run, each of its turns at one of these times (in seconds), and return when it swept."""
    left, swept, stop, start = list(times), [], asyncio.Event(), clock.time
    renew, sweep = sweeper.store.renew, sweeper.store.inbox.due

    async def turn(*args):
        clock.time = start + timedelta(seconds=left.pop(0))
        if not left:
            stop.set()
        return await renew(*args)

    async def noted(*args, **kwargs):
        swept.append((clock.time - start).total_seconds())
        return await sweep(*args, **kwargs)

    sweeper.store.renew, sweeper.store.inbox.due = turn, noted
    try:
        await sweeper.run(stop)
    finally:
        sweeper.store.renew, sweeper.store.inbox.due = renew, sweep
    return swept


async def test_who_does_not_hold_the_lease_does_not_sweep(store, clock, sweeper):
    """It looks each turn, and begins when the other one's lease has ended."""
    await store.lease(LANE, "other", 5)
    assert await turns(sweeper, clock, [0, 4.9, 5, 6]) == [5, 6]


async def test_who_stops_gives_the_lease_back(store, clock, sweeper):
    """Another one sweeps at once."""
    assert await turns(sweeper, clock, [0]) == [0]
    assert await store.lease(LANE, "other", 5)


async def test_a_sweeper_that_was_stopped_before_does_nothing(store, clock, sweeper, queue):
    """Not even once."""
    await store.inbox.put(delivery())
    clock.move(2)
    stop = asyncio.Event()
    stop.set()
    await sweeper.run(stop)
    assert queue.waiting == ()


async def test_a_stop_does_not_wait_for_the_next_turn(store, clock, queue, said, monkeypatch):
    """An hour is between two turns here: there is one turn, and none of the hour passes."""
    swept, sweep = [], store.inbox.due

    async def noted(*args, **kwargs):
        swept.append(args)
        return await sweep(*args, **kwargs)

    monkeypatch.setattr(store.inbox, "due", noted)
    patient = make(store, queue, clock, said, policy=SweepPolicy(every_s=3600))
    await store.inbox.put(delivery())
    clock.move(2)
    stop = asyncio.Event()
    running = asyncio.create_task(patient.run(stop))
    await until(lambda: queue.waiting)
    for _ in range(20):
        await store.check()  # gives the sweeper time for as many turns as it likes
    stop.set()
    await asyncio.wait_for(running, 10)
    assert len(swept) == 1


async def test_a_database_that_is_silent_at_the_end_does_not_hold_up_the_stop(store, clock, sweeper, monkeypatch):
    """The lease ends by itself."""

    async def silent(*_):
        raise DatabaseUnavailableError("locked")

    monkeypatch.setattr(store, "release", silent)
    assert await turns(sweeper, clock, [0]) == [0]


@pytest.mark.parametrize(("every_s", "ttl_s"), [(0.01, 5), (1, 5), (2, 10)])
async def test_the_lease_lasts_for_five_turns_but_at_least_five_seconds(store, clock, queue, said, every_s, ttl_s):
    """Its owner prolongs it each turn; nobody else has it before it ends."""
    one, other = (make(store, queue, clock, said, owner, SweepPolicy(every_s=every_s)) for owner in ("one", "other"))
    assert await one._is_mine()
    clock.move(1)
    assert await one._is_mine()
    clock.move(ttl_s - 0.1)
    assert not await other._is_mine()
    clock.move(0.1)
    assert await other._is_mine()
    assert not await one._is_mine()


async def test_old_deliveries_are_purged_at_first_and_then_once_an_hour(store, clock, sweeper, monkeypatch):
    """What ended more than thirty days before goes."""
    purged, purge, start = [], store.inbox.purge, clock.time

    async def noted(before):
        purged.append(((clock.time - start).total_seconds(), clock.time - before))
        return await purge(before)

    monkeypatch.setattr(store.inbox, "purge", noted)
    await turns(sweeper, clock, [0, 3599, 3600, 3601, 7199, 7200])
    assert purged == [(at, timedelta(days=30)) for at in (0, 3600, 7200)]


async def test_each_job_is_named_after_its_work_and_the_number_of_its_wake_up(store, clock, sweeper, queue):
    """So that a job that hangs does not hold up the next, and one that waits is not asked for twice."""
    await store.inbox.put(delivery())
    await store.inbox.put(delivery("d-2"))
    await store.save(incident(stage=Stage.ORIENTING), 0)
    for _ in range(2):
        clock.move(120)
        assert await sweeper.sweep() == 3
    assert sorted(job.id for job in queue.waiting) == [
        *("advance:inc-1:1", "advance:inc-1:2"),
        *("process_delivery:1:1", "process_delivery:1:2"),
        *("process_delivery:2:1", "process_delivery:2:2"),
    ]


async def test_a_job_that_waits_already_is_not_counted(store, clock, sweeper, queue):
    """Nothing was asked for."""
    await queue.enqueue("process_delivery", 1, job_id="process_delivery:1:1")
    await store.inbox.put(delivery())
    clock.move(2)
    assert await sweeper.sweep() == 0


async def test_what_is_given_up_has_its_last_reason_and_is_not_tried_again(store, clock, sweeper, queue, said):
    """Delivery and write fail for good with it; what has tries left goes on."""
    poison, fresh = await store.inbox.put(delivery("poison")), await store.inbox.put(delivery("fresh"))
    for _ in range(3):
        await store.inbox.claim(poison)
        await store.inbox.retry(poison, "502 from GitHub")
    for _ in range(2):
        await store.inbox.claim(fresh)
    await store.save(incident(stage=Stage.ESCALATED).send(OpenIssue()), 0)
    [row] = await store.outbox.pending("inc-1")
    await store.outbox.retry(row.id, "timeout")
    clock.move(600)
    await sweeper.sweep()
    assert said == [("delivery", "poison", "502 from GitHub")]
    assert (await store.inbox.get(poison)).note == "502 from GitHub"
    assert (await store.inbox.get(fresh)).status is Status.PENDING
    assert (await store.outbox.get(row.id)).status is Status.PENDING
    await store.outbox.retry(row.id, "timeout again")
    await sweeper.sweep()
    assert said[1:] == [("write", "inc-1:open_issue", "timeout again")]
    assert (await store.outbox.get(row.id)).status is Status.FAILED


async def test_people_are_told_which_incident_it_is(store, clock, queue):
    """Of a write and of an incident; a delivery may be about none."""
    told = []

    async def gave_up(given):
        told.append(given)

    sweeper = Sweeper(store=store, queue=queue, gave_up=gave_up, now=clock, owner="one", policy=POLICY)
    poison = await store.inbox.put(delivery("poison"))
    for _ in range(3):
        await store.inbox.claim(poison)
    await store.save(incident("inc-2", stage=Stage.ESCALATED).send(OpenIssue()), 0)
    [row] = await store.outbox.pending("inc-2")
    for _ in range(2):
        await store.outbox.retry(row.id, "502", delay_s=0)
    await store.save(incident("inc-3", stage=Stage.ORIENTING), 0)
    for _ in range(4):
        clock.move(120)
        await sweeper.sweep()
    assert told == [
        Given(kind="delivery", id="poison", reason="the worker ended while it worked on it"),
        Given(kind="write", id="inc-2:open_issue", incident_id="inc-2", reason="502"),
        Given(
            kind="incident",
            id="inc-3",
            incident_id="inc-3",
            reason="it was taken up again and again without getting any further",
        ),
    ]

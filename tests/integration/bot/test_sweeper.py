"""The sweeper over a real store: nothing that waits is forgotten, nothing hopeless spins."""

import asyncio

import pytest

from agents.incident import Stage
from agents.writes import OpenIssue
from bot.db.errors import DatabaseUnavailableError
from bot.db.rows import Status
from bot.queue.memory import MemoryQueue
from bot.queue.port import QueueUnavailableError
from bot.sweeper import Sweeper, SweepPolicy
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


def make(store, queue, clock, said, owner="one"):
    """Return a sweeper."""

    async def gave_up(given):
        said.append((given.kind, given.id, given.reason))

    return Sweeper(store=store, queue=queue, gave_up=gave_up, now=clock, owner=owner, policy=POLICY)


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

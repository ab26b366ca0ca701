"""One contract for the queue over Redis and for its stand-in in memory."""

import asyncio
from datetime import UTC, datetime

import pytest

from bot.queue.memory import MemoryQueue
from bot.queue.port import QueueUnavailableError
from bot.queue.redis import LONG, SHORT, RedisQueue, connect, decode
from bot.queue.worker import run_workers, workers
from tests.support_redis import running_redis


class MemoryWorld:
    """The queue in memory, and its jobs run in place."""

    def __init__(self):
        self.queue = MemoryQueue(lambda: datetime.now(UTC))

    async def run(self, **jobs):
        """Run what is due."""
        await self.queue.run_due(jobs)


class RedisWorld:
    """The queue over Redis, and arq workers that stop when the queues are empty."""

    def __init__(self, url):
        self.url = url
        self.queue = RedisQueue(connect(url))

    async def run(self, **jobs):
        """Run what is due."""
        await run_workers(workers(self.url, jobs, burst=True), asyncio.Event())


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    """A Redis server for these tests."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
async def world(request):
    """A queue, empty, with something that runs its jobs."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    url = request.getfixturevalue("redis_url")
    redis = connect(url)
    await redis.flushdb()
    await redis.aclose(close_connection_pool=True)
    found = RedisWorld(url)
    yield found
    await found.queue.aclose()


class Recorder:
    """Jobs that note what they were called with."""

    def __init__(self):
        self.calls = []

    async def process_delivery(self, row_id):
        """Note the call."""
        self.calls.append(("process_delivery", row_id))

    async def advance(self, incident_id):
        """Note the call."""
        self.calls.append(("advance", incident_id))

    @property
    def jobs(self):
        """Return the jobs by name."""
        return {"process_delivery": self.process_delivery, "advance": self.advance}


async def test_a_job_runs_once_with_its_arguments(world):
    """Numbers stay numbers, text stays text; a job that has run is gone."""
    seen = Recorder()
    assert await world.queue.enqueue("process_delivery", 7)
    assert await world.queue.enqueue("advance", "inc-1")
    await world.run(**seen.jobs)
    await world.run(**seen.jobs)
    assert sorted(seen.calls) == [("advance", "inc-1"), ("process_delivery", 7)]


async def test_a_job_that_waits_is_not_taken_twice(world):
    """The same id: once. Another id, or none: another job."""
    seen = Recorder()
    assert await world.queue.enqueue("process_delivery", 7, job_id="a")
    assert not await world.queue.enqueue("process_delivery", 7, job_id="a")
    assert await world.queue.enqueue("process_delivery", 7, job_id="b")
    assert await world.queue.enqueue("process_delivery", 7)
    assert await world.queue.enqueue("process_delivery", 7)
    await world.run(**seen.jobs)
    assert len(seen.calls) == 4


async def test_the_id_of_a_job_that_has_run_is_free_again(world):
    """No kept result stands in the way of the next wake-up."""
    seen = Recorder()
    for _ in range(3):
        assert await world.queue.enqueue("process_delivery", 7, job_id="a")
        await world.run(**seen.jobs)
    assert len(seen.calls) == 3


async def test_a_job_that_runs_is_not_taken_twice(world):
    """While it runs its id is not free."""
    taken = []

    async def again(_):
        taken.append(await world.queue.enqueue("process_delivery", 7, job_id="a"))

    await world.queue.enqueue("process_delivery", 7, job_id="a")
    await world.run(process_delivery=again)
    assert taken == [False]


async def test_a_job_that_fails_is_gone_and_others_run(world):
    """Trying again is the sweeper's business: it knows what is still to be done."""
    seen = Recorder()

    async def broken(_):
        raise ValueError("broken")

    await world.queue.enqueue("process_delivery", 1, job_id="a")
    await world.queue.enqueue("advance", "inc-1")
    await world.run(process_delivery=broken, advance=seen.advance)
    assert seen.calls == [("advance", "inc-1")]
    assert await world.queue.enqueue("process_delivery", 1, job_id="a")


async def test_a_delayed_job_waits(redis_url):
    """It is due at its time: not before, and not lost."""
    memory = MemoryWorld()
    await memory.queue.enqueue("process_delivery", 7, delay_s=3600)
    seen = Recorder()
    await memory.run(**seen.jobs)
    assert seen.calls == []
    redis = connect(redis_url)
    await redis.flushdb()
    queue = RedisQueue(redis)
    before_ms = datetime.now(UTC).timestamp() * 1000
    await queue.enqueue("process_delivery", 7, delay_s=3600, job_id="later")
    assert await redis.zscore(SHORT, "later") >= before_ms + 3_599_000
    await queue.aclose()


async def test_long_jobs_have_a_queue_of_their_own_and_all_are_json(redis_url):
    """So that they never keep short ones waiting; and nothing in Redis is a pickle."""
    redis = connect(redis_url)
    await redis.flushdb()
    queue = RedisQueue(redis)
    await queue.enqueue("process_delivery", 7, job_id="short")
    await queue.enqueue("advance", "inc-1", job_id="long")
    assert await redis.zrange(SHORT, 0, -1) == [b"short"]
    assert await redis.zrange(LONG, 0, -1) == [b"long"]
    job = decode(await redis.get("arq:job:long"))
    assert (job["f"], job["a"]) == ("advance", ["inc-1"])
    await queue.aclose()


async def test_a_silent_redis_is_a_typed_error(tmp_path):
    """Nothing of redis-py leaks out, neither when asking nor when working."""
    url = f"unix://{tmp_path}/nobody.sock"
    queue = RedisQueue(connect(url))
    with pytest.raises(QueueUnavailableError):
        await queue.enqueue("process_delivery", 7)
    with pytest.raises(QueueUnavailableError):
        await queue.ping()
    await queue.aclose()
    with pytest.raises(QueueUnavailableError):
        await run_workers(workers(url, Recorder().jobs), asyncio.Event())


async def test_a_worker_that_is_told_to_stop_finishes_its_job(redis_url):
    """What runs is finished; what waits is left for the next worker."""
    redis = connect(redis_url)
    await redis.flushdb()
    queue = RedisQueue(redis)
    stop, seen = asyncio.Event(), []

    async def slow(row_id):
        stop.set()
        await asyncio.sleep(0.2)
        await queue.enqueue("advance", "inc-1")
        seen.append(row_id)

    await queue.enqueue("process_delivery", 7)
    await run_workers(workers(redis_url, {"process_delivery": slow}), stop)
    assert seen == [7]
    assert await redis.zcard(LONG) == 1
    await queue.aclose()


async def test_a_job_that_does_not_finish_in_time_is_cancelled_and_kept(redis_url):
    """After the grace it is cancelled; the queue still has it."""
    redis = connect(redis_url)
    await redis.flushdb()
    queue = RedisQueue(redis)
    stop, cancelled = asyncio.Event(), []

    async def endless(_):
        stop.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    await queue.enqueue("process_delivery", 7, job_id="a")
    await run_workers(workers(redis_url, {"process_delivery": endless}), stop, grace_s=0.05)
    assert cancelled == [True]
    assert await redis.zrange(SHORT, 0, -1) == [b"a"]
    await queue.aclose()

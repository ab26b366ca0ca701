"""Runs jobs from Redis in this process, until it is told to stop or Redis is gone."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import structlog
from arq.worker import Function, Worker, func
from redis.exceptions import RedisError

from bot.queue.memory import Job
from bot.queue.port import Argument, QueueUnavailableError
from bot.queue.redis import LONG, LONG_JOBS, SHORT, connect, decode, encode

log = structlog.get_logger()

POLL_S: Final = 0.1
JOB_TIMEOUT_S: Final = 900
GRACE_S: Final = 20.0
_MAX_JOBS: Final = {SHORT: 16, LONG: 4}


def _function(name: str, job: Job) -> Function:
    async def run(ctx: dict[Any, Any], *args: Argument, **_: Any) -> None:
        del ctx  # arq's own context: a job gets what it needs by its function
        await job(*args)

    return func(run, name=name, keep_result=0, timeout=JOB_TIMEOUT_S)


def worker_settings(functions: Mapping[str, Job], *, queue_name: str) -> dict[str, Any]:
    """Return the keyword arguments of arq's `Worker` for one queue.

    Results are not kept, since arq takes a kept result's id for a job that still waits.
    """
    return {
        "functions": [_function(name, job) for name, job in functions.items()],
        "queue_name": queue_name,
        "job_serializer": encode,
        "job_deserializer": decode,
        "keep_result": 0,
        "max_jobs": _MAX_JOBS[queue_name],
        "job_timeout": JOB_TIMEOUT_S,
        "poll_delay": POLL_S,
        "handle_signals": False,
        "log_results": False,
    }


def workers(
    redis_url: str, functions: Mapping[str, Job], *, long_jobs: AbstractSet[str] = LONG_JOBS, burst: bool = False
) -> tuple[Worker, ...]:
    """Return one worker per queue that has functions; `burst` stops each when its queue is empty."""
    by_queue = {
        SHORT: {name: job for name, job in functions.items() if name not in long_jobs},
        LONG: {name: job for name, job in functions.items() if name in long_jobs},
    }
    return tuple(
        Worker(
            redis_pool=connect(redis_url, queue_name=name),
            burst=burst,
            **worker_settings(mine, queue_name=name),
        )
        for name, mine in by_queue.items()
        if mine
    )


async def run_workers(running: Sequence[Worker], stop: asyncio.Event, *, grace_s: float = GRACE_S) -> None:
    """Run workers until `stop` is set, then let jobs finish for `grace_s` seconds and cancel the rest.

    Workers in burst mode end by themselves.

    Raises:
        QueueUnavailableError: Redis is gone; jobs that ran were cancelled. Start anew: the truth is elsewhere.
    """
    mains: list[asyncio.Task[Any]] = [asyncio.create_task(worker.async_run()) for worker in running]
    stopped: asyncio.Task[Any] = asyncio.create_task(stop.wait())
    try:
        await _until_over(mains, stopped)
        await _finish_jobs(running, grace_s)
    except (RedisError, OSError) as error:
        raise QueueUnavailableError(f"Redis does not answer: {error}") from error
    finally:
        stopped.cancel()
        for worker in running:
            await _close(worker)
        await asyncio.gather(*mains, stopped, return_exceptions=True)


async def _until_over(mains: Sequence[asyncio.Task[Any]], stopped: asyncio.Task[Any]) -> None:
    """Return when `stopped` is done, or every main; raises what a main raised."""
    left: set[asyncio.Task[Any]] = set(mains)
    while left and not stopped.done():
        done, _ = await asyncio.wait({*left, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for main in done - {stopped}:
            main.result()
            left.discard(main)


async def _finish_jobs(running: Sequence[Worker], grace_s: float) -> None:
    for worker in running:
        worker.allow_pick_jobs = False
    jobs = [task for worker in running for task in worker.tasks.values() if not task.done()]
    if jobs:
        log.info("worker_drained", jobs=len(jobs), grace_s=grace_s)
        await asyncio.wait(jobs, timeout=grace_s)


async def _close(worker: Worker) -> None:
    """Stop a worker as arq's own `close` does, but for the client's deprecated method that it calls."""
    worker.handle_sig(signal.SIGTERM)
    await asyncio.gather(*worker.tasks.values(), return_exceptions=True)
    await worker.pool.aclose(close_connection_pool=True)

"""The queue over Redis, by arq."""

from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from bot.queue.port import Argument, QueueUnavailableError

SHORT: Final = "sre-space:short"
LONG: Final = "sre-space:long"
LONG_JOBS: Final = frozenset({"advance"})
CONNECT_TIMEOUT_S: Final = 1.0
ANSWER_TIMEOUT_S: Final = 5.0


def encode(job: dict[str, Any]) -> bytes:
    """Return a job as JSON, never as a pickle: who can write to Redis must not be able to run code here."""
    return msgspec.json.encode(job)


def decode(data: bytes) -> dict[str, Any]:
    """Return the job in `data`."""
    return msgspec.json.decode(data, type=dict[str, Any])


def connect(url: str, *, queue_name: str = SHORT) -> ArqRedis:
    """Return a client that connects when it is first used, so that a process starts without Redis, too."""
    pool = ConnectionPool.from_url(
        url, socket_connect_timeout=CONNECT_TIMEOUT_S, socket_timeout=ANSWER_TIMEOUT_S, health_check_interval=30
    )
    return ArqRedis(pool, job_serializer=encode, job_deserializer=decode, default_queue_name=queue_name)


class RedisQueue:
    """Puts jobs into one of two queues, so that long jobs never keep short ones waiting."""

    def __init__(self, redis: ArqRedis, *, long_jobs: AbstractSet[str] = LONG_JOBS) -> None:
        self._redis = redis
        self._long_jobs = long_jobs

    async def enqueue(self, name: str, *args: Argument, delay_s: float = 0.0, job_id: str | None = None) -> bool:
        """See `Queue.enqueue`."""
        try:
            job = await self._redis.enqueue_job(
                name,
                *args,
                _job_id=job_id,
                _queue_name=LONG if name in self._long_jobs else SHORT,
                _defer_by=delay_s or None,
            )
        except (RedisError, OSError) as error:
            raise QueueUnavailableError(f"Redis does not answer: {error}") from error
        return job is not None

    async def ping(self) -> None:
        """Return when Redis answers.

        Raises:
            QueueUnavailableError: it does not.
        """
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            raise QueueUnavailableError(f"Redis does not answer: {error}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose(close_connection_pool=True)

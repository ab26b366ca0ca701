"""Whether a worker has begun to take jobs: arq notes it in Redis at its first look at the queue."""

from typing import Final

from redis.exceptions import RedisError

from bot.queue.port import QueueUnavailableError
from bot.queue.redis import SHORT, connect

_NOTE: Final = f"{SHORT}:health-check"


async def forget_workers(url: str) -> None:
    """Remove the note of workers that ran before.

    Raises:
        QueueUnavailableError: Redis does not answer.
    """
    client = connect(url)
    try:
        await client.delete(_NOTE)
    except (RedisError, OSError) as error:
        raise QueueUnavailableError(f"Redis does not answer: {error}") from error
    finally:
        await client.aclose(close_connection_pool=True)


async def worker_works(url: str) -> bool:
    """Return whether a worker has taken up work since `forget_workers`."""
    client = connect(url)
    try:
        return bool(await client.exists(_NOTE))
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose(close_connection_pool=True)

"""The event bus on Redis Streams, with consumer groups."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from telemetry.bus.port import Message
from telemetry.errors import BusUnavailableError

_PREFIX = "sre-space:"
_KEPT = 10_000
_BATCH = 32
_BLOCK_MS = 1_000
_TIMEOUT_S = 5.0
_GROUP_EXISTS = "BUSYGROUP"

_Entries = Iterable[tuple[bytes, dict[bytes, bytes] | None]]


class RedisStreamsBus:
    """A `Bus` on one Redis server: a stream for each topic, trimmed to about its newest `kept` entries.

    `claim_idle_s` is how long a message may stay unacknowledged before another consumer of the group takes it
    over (XAUTOCLAIM); it must be longer than the longest handling of a message.
    """

    def __init__(self, url: str, *, claim_idle_s: float = 60.0, kept: int = _KEPT) -> None:
        self._redis: Redis = Redis.from_url(url, socket_connect_timeout=_TIMEOUT_S, socket_timeout=_TIMEOUT_S)
        self._claim_idle_ms = int(claim_idle_s * 1000)
        self._block_ms = max(1, min(_BLOCK_MS, self._claim_idle_ms // 2))
        self._kept = kept

    async def publish(self, topic: str, key: str, value: bytes) -> None:
        """Append a message to a topic (XADD with approximate trimming)."""
        with _translated():
            fields: dict[Any, Any] = {"key": key, "value": value}
            await self._redis.xadd(_PREFIX + topic, fields, maxlen=self._kept, approximate=True)

    async def subscribe(self, topic: str, group: str, consumer: str) -> AsyncIterator[Message]:
        """Iterate over own unacknowledged messages, then new and abandoned ones."""
        stream = _PREFIX + topic
        with _translated():
            await self._create_group(stream, group)
        last = "0"
        while own := await self._read(stream, group, consumer, last):
            for message in own:
                last = message.id
                yield message
        while True:
            _end_if_cancelled()
            for message in await self._claim(stream, group, consumer):
                yield message
            for message in await self._read(stream, group, consumer, ">"):
                yield message

    async def _create_group(self, stream: str, group: str) -> None:
        try:
            await self._redis.xgroup_create(stream, group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith(_GROUP_EXISTS):
                raise

    async def _read(self, stream: str, group: str, consumer: str, after: str) -> list[Message]:
        """Return own pending messages after an id, or new ones for `>`; waits up to a second for new ones."""
        with _translated():
            found: Any = await self._redis.xreadgroup(
                group, consumer, {stream: after}, count=_BATCH, block=self._block_ms
            )
            entries: _Entries = found[0][1] if found else ()
            return await self._messages(stream, group, entries)

    async def _claim(self, stream: str, group: str, consumer: str) -> list[Message]:
        """Take over what other consumers have left unacknowledged."""
        with _translated():
            found: Any = await self._redis.xautoclaim(
                stream, group, consumer, min_idle_time=self._claim_idle_ms, count=_BATCH
            )
            return await self._messages(stream, group, found[1])

    async def _messages(self, stream: str, group: str, entries: _Entries) -> list[Message]:
        """Return messages; a pending entry that was trimmed away has no fields and is acknowledged at once."""
        messages: list[Message] = []
        for number, fields in entries:
            if fields:
                messages.append(self._message(stream, group, number.decode(), fields))
            else:
                await self._redis.xack(stream, group, number)
        return messages

    def _message(self, stream: str, group: str, number: str, fields: dict[bytes, bytes]) -> Message:
        async def ack() -> None:
            with _translated():
                await self._redis.xack(stream, group, number)

        return Message(id=number, key=fields[b"key"].decode(), value=fields[b"value"], ack=ack)

    async def check(self) -> None:
        """Return if Redis answers a PING."""
        with _translated():
            await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def _end_if_cancelled() -> None:
    """Raise CancelledError if the task was cancelled and nobody has heard of it.

    `asyncio.wait_for`, with which redis-py writes, loses a cancellation that comes as it ends (Python before 3.12,
    https://github.com/python/cpython/issues/86296). Then nothing would end who waits for messages.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextmanager
def _translated() -> Generator[None, None, None]:
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise BusUnavailableError(f"Redis does not answer: {error}") from error
    except RedisError as error:
        raise BusUnavailableError(f"Redis refused: {error}") from error

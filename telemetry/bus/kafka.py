"""The event bus on Kafka, with consumer groups and manual commits."""

import asyncio
import time
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import ConsumerStoppedError, KafkaError

from telemetry.bus.kafka_pending import Pending
from telemetry.bus.kafka_topics import ensure_topic
from telemetry.bus.port import Message
from telemetry.errors import BusUnavailableError

_PREFIX = "sre-space."
_TIMEOUT_MS = 5_000
_POLL_MS = 1_000
_CHECK_S = 5.0
_BACKOFF_MS = 500


class KafkaBus:
    """A `Bus` on a Kafka cluster: a topic for each topic, the key decides the partition, a group for each group.

    A partition has one consumer of a group at a time. Its offset is committed as far as every message before it is
    acknowledged. A message that stays unacknowledged for `claim_idle_s` comes again: to this consumer when it still
    reads on, to another one when it does not (max.poll.interval.ms). A consumer that died is replaced after `session_s`
    seconds without its heartbeat.
    """

    def __init__(
        self, servers: str, *, claim_idle_s: float = 60.0, session_s: float = 10.0, prefix: str = _PREFIX
    ) -> None:
        self._servers = servers
        self._session_ms = int(session_s * 1000)
        self._claim_idle_s = claim_idle_s
        self._prefix = prefix
        self._poll_ms = max(1, min(_POLL_MS, int(claim_idle_s * 500)))
        self._starting = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._consumers: dict[AIOKafkaConsumer, asyncio.Task[None] | None] = {}
        self._topics: set[str] = set()
        self._closed = False

    async def publish(self, topic: str, key: str, value: bytes) -> None:
        """Append a message to a topic; returns when all replicas that are in sync have it."""
        with _translated(self._servers):
            name = await self._topic(topic)
            producer = await self._started()
            await producer.send_and_wait(name, value, key.encode())

    async def subscribe(self, topic: str, group: str, consumer: str) -> AsyncIterator[Message]:
        """Iterate over what the group has not acknowledged in this consumer's partitions, then over what is new."""
        with _translated(self._servers):
            reader, pending = await self._join(await self._topic(topic), group, consumer)
        try:
            heard_s = time.monotonic()
            while True:
                for message in pending.overdue(time.monotonic() - self._claim_idle_s):
                    yield message
                with _translated(self._servers):
                    # one at a time: a consumer that is stuck with a message must not look as if it read on
                    found: dict[Any, Any] = await reader.getmany(timeout_ms=self._poll_ms, max_records=1)
                    if found:
                        heard_s = time.monotonic()
                    elif time.monotonic() - heard_s > _CHECK_S:
                        await self.check()  # a consumer by itself waits for ever when the cluster is away
                        heard_s = time.monotonic()
                for record in [record for records in found.values() for record in records]:
                    yield pending.deliver(record)
        finally:
            await self._leave(reader)

    async def _join(self, name: str, group: str, consumer: str) -> tuple[AIOKafkaConsumer, Pending]:
        reader = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            group_id=f"{name}.{group}",
            client_id=consumer,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._session_ms,
            heartbeat_interval_ms=self._session_ms // 3,
            retry_backoff_ms=_BACKOFF_MS,
            max_poll_interval_ms=int(self._claim_idle_s * 1000),
        )
        pending = Pending(reader, lambda: _translated(self._servers))
        reader.subscribe([name], listener=pending)
        self._consumers[reader] = None
        try:
            await reader.start()
        except BaseException:
            await self._leave(reader)
            raise
        return reader, pending

    async def _leave(self, reader: AIOKafkaConsumer) -> None:
        """Take a consumer out of its group; whoever else asks for that waits for the same end."""
        leaving = self._consumers.get(reader) or asyncio.create_task(_stop(reader))
        self._consumers[reader] = leaving
        await asyncio.wait({leaving})
        self._consumers.pop(reader, None)

    async def _topic(self, topic: str) -> str:
        """Return the topic's name in the cluster, where it exists from now on."""
        name = self._prefix + topic
        producer = await self._started()
        if name not in self._topics:
            await ensure_topic(self._servers, name, timeout_ms=_TIMEOUT_MS)
            await producer.partitions_for(name)
            self._topics.add(name)
        return name

    async def _started(self) -> AIOKafkaProducer:
        """Return the producer, connected."""
        async with self._starting:
            if self._closed:
                raise BusUnavailableError("the bus is closed")
            if self._producer is None:
                producer = AIOKafkaProducer(bootstrap_servers=self._servers, acks="all", request_timeout_ms=_TIMEOUT_MS)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def check(self) -> None:
        """Return if a broker answers."""
        with _translated(self._servers):
            producer = await self._started()
            async with asyncio.timeout(2 * _TIMEOUT_MS / 1000):
                answered = await producer.client.force_metadata_update()
            if not answered:
                raise BusUnavailableError(f"Kafka does not answer at {self._servers}")

    async def close(self) -> None:
        """Leave the groups and close the connections; subscribers that wait get BusUnavailableError."""
        self._closed = True
        for reader in tuple(self._consumers):
            await self._leave(reader)
        async with self._starting:
            if self._producer is not None:
                await self._producer.stop()
                self._producer = None


@contextmanager
def _translated(servers: str) -> Generator[None, None, None]:
    try:
        yield
    except (KafkaError, ConsumerStoppedError) as error:
        raise BusUnavailableError(f"Kafka at {servers}: {error}") from error
    except (OSError, TimeoutError) as error:
        raise BusUnavailableError(f"Kafka does not answer at {servers}: {error}") from error


async def _stop(reader: AIOKafkaConsumer) -> None:
    """Leave the group and close the connections.

    While the cluster is away aiokafka 0.14 stops half-way, cancelled by a task of its own; the rest is done here.
    """
    stopping = asyncio.create_task(reader.stop())
    await asyncio.wait({stopping})
    if stopping.cancelled():
        await reader._client.close()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- there is no other way
    else:
        stopping.result()

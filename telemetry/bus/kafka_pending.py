"""What one Kafka consumer has been given and not acknowledged, and how far its offsets may be committed."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, RebalanceInProgressError

from telemetry.bus.port import Message

log = structlog.get_logger()


@dataclass(slots=True)
class _Partition:
    """Deliveries of one partition, by offset: the record and when it was delivered (monotonic seconds)."""

    next: int
    committed: int
    open: dict[int, tuple[Any, float]] = field(default_factory=dict[int, tuple[Any, float]])

    @property
    def position(self) -> int:
        """Return the offset up to which everything is acknowledged."""
        return min(self.open, default=self.next)


class Pending(ConsumerRebalanceListener):
    """Keeps count of deliveries and commits in order within each partition.

    When partitions move to another consumer, what is open in them is forgotten here: it comes again there, from the
    committed offset on, and a late acknowledgement here has no effect.
    """

    def __init__(self, reader: AIOKafkaConsumer, translated: Callable[[], AbstractContextManager[None]]) -> None:
        self._reader = reader
        self._translated = translated
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._committing = asyncio.Lock()

    def deliver(self, record: Any) -> Message:
        """Return a record as a message, and count it as open from now on."""
        where = TopicPartition(record.topic, record.partition)
        known = self._partitions.setdefault(where, _Partition(next=record.offset, committed=record.offset))
        known.open[record.offset] = (record, time.monotonic())
        known.next = max(known.next, record.offset + 1)

        async def ack() -> None:
            await self._acknowledge(where, record.offset)

        return Message(
            id=f"{record.partition}-{record.offset}",
            key=(record.key or b"").decode(),
            value=record.value or b"",
            ack=ack,
        )

    def overdue(self, before_s: float) -> Iterable[Message]:
        """Yield what was delivered before this moment and is still open, again."""
        late = [
            record for known in self._partitions.values() for record, at_s in known.open.values() if at_s < before_s
        ]
        for record in late:
            known = self._partitions.get(TopicPartition(record.topic, record.partition))
            if known is not None and record.offset in known.open:
                yield self.deliver(record)

    async def _acknowledge(self, where: TopicPartition, offset: int) -> None:
        async with self._committing:
            known = self._partitions.get(where)
            if known is None or known.open.pop(offset, None) is None or known.position <= known.committed:
                return
            position = known.position
            with self._translated():
                try:
                    await self._reader.commit({where: position})
                except (CommitFailedError, IllegalStateError, RebalanceInProgressError) as error:
                    # the partition is no longer ours: whoever has it gets the message again
                    log.info("offset_not_committed", partition=where.partition, offset=position, reason=str(error))
                    return
            known.committed = position

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget what is open in partitions that are given away."""
        for where in revoked:
            self._partitions.pop(where, None)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin anew in partitions that are given to this consumer."""
        for where in assigned:
            self._partitions.pop(where, None)

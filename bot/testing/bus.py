"""A bus in memory that says when everything on it was taken."""

import asyncio
from collections.abc import AsyncIterator

from telemetry.bus import Message
from telemetry.bus.memory import MemoryBus


class WatchedBus(MemoryBus):
    """A `MemoryBus` whose `drained` returns once each message was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = 0
        self._drained = asyncio.Event()
        self._drained.set()

    async def publish(self, topic: str, key: str, value: bytes) -> None:
        """See `Bus.publish`."""
        self._waiting += 1
        self._drained.clear()
        await super().publish(topic, key, value)

    async def subscribe(self, topic: str, group: str, consumer: str) -> AsyncIterator[Message]:
        """See `Bus.subscribe`."""
        async for message in super().subscribe(topic, group, consumer):
            yield Message(message.id, message.key, message.value, self._noted(message))

    def _noted(self, message: Message):  # noqa: ANN202 - the type of an acknowledgement is that of the port
        async def ack() -> None:
            await message.ack()
            self._waiting -= 1
            if self._waiting <= 0:
                self._drained.set()

        return ack

    async def drained(self) -> None:
        """Return once every message that was published was acknowledged."""
        await self._drained.wait()

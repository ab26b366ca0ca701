"""The event bus inside one process, for embedded mode and tests."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from telemetry.bus.port import Message
from telemetry.errors import BusUnavailableError

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    number: int
    key: str
    value: bytes


@dataclass(slots=True)
class _Delivery:
    entry: _Entry
    consumer: str
    at_s: float


@dataclass(slots=True)
class _Group:
    last: int = 0
    pending: dict[int, _Delivery] = field(default_factory=dict[int, _Delivery])


@dataclass(slots=True)
class _Topic:
    entries: deque[_Entry]
    published: int = 0
    groups: dict[str, _Group] = field(default_factory=dict[str, _Group])
    news: asyncio.Event = field(default_factory=asyncio.Event)


class MemoryBus:
    """A `Bus` that lives and dies with its process; each topic keeps its newest `kept` messages."""

    def __init__(
        self, *, claim_idle_s: float = 60.0, kept: int = _KEPT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._claim_idle_s = claim_idle_s
        self._kept = kept
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._closed = False

    async def publish(self, topic: str, key: str, value: bytes) -> None:
        """Append a message to a topic."""
        await self.check()
        found = self._topic(topic)
        found.published += 1
        found.entries.append(_Entry(found.published, key, value))
        found.news.set()

    def _topic(self, name: str) -> _Topic:
        return self._topics.setdefault(name, _Topic(deque(maxlen=self._kept)))

    async def subscribe(self, topic: str, group: str, consumer: str) -> AsyncIterator[Message]:
        """Iterate over own unacknowledged messages, then new and abandoned ones."""
        found = self._topic(topic)
        state = found.groups.setdefault(group, _Group())
        for delivery in [d for d in state.pending.values() if d.consumer == consumer]:
            yield self._deliver(state, delivery.entry, consumer)
        while True:
            await self.check()
            entry = self._next(found, state)
            if entry is not None:
                yield self._deliver(state, entry, consumer)
            else:
                await self._wait(found)

    def _next(self, topic: _Topic, group: _Group) -> _Entry | None:
        """Return an abandoned message, else the oldest new one, else None."""
        idle_since_s = self._clock() - self._claim_idle_s
        for delivery in group.pending.values():
            if delivery.at_s <= idle_since_s:
                return delivery.entry
        return next((entry for entry in topic.entries if entry.number > group.last), None)

    def _deliver(self, group: _Group, entry: _Entry, consumer: str) -> Message:
        group.last = max(group.last, entry.number)
        group.pending[entry.number] = _Delivery(entry, consumer, self._clock())

        async def ack() -> None:
            group.pending.pop(entry.number, None)

        return Message(id=str(entry.number), key=entry.key, value=entry.value, ack=ack)

    async def _wait(self, topic: _Topic) -> None:
        """Wait for a new message, or until an abandoned one may have become free."""
        topic.news.clear()
        try:
            await asyncio.wait_for(topic.news.wait(), timeout=self._claim_idle_s / 2)
        except TimeoutError:
            return

    async def check(self) -> None:
        """Return if the bus is open."""
        if self._closed:
            raise BusUnavailableError("the bus is closed")

    async def close(self) -> None:
        """Close: subscribers that wait get BusUnavailableError."""
        self._closed = True
        for topic in self._topics.values():
            topic.news.set()

"""The port of the event bus."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery of one message; without `ack()` it comes again, so consumers dedupe by its content."""

    id: str
    key: str
    value: bytes
    ack: Callable[[], Awaitable[None]]


class Bus(Protocol):
    """At least once. Every method raises BusUnavailableError when the bus cannot be reached.

    A topic is kept for later groups: a group that subscribes for the first time gets what is still kept. Within a
    group each message goes to one consumer. New messages of one key reach one consumer in the order in which they
    were published; what is delivered again may come after newer ones, so messages carry a sequence of their own.
    """

    async def publish(self, topic: str, key: str, value: bytes) -> None:
        """Append a message to a topic; when this returns, the bus has it."""
        ...

    def subscribe(self, topic: str, group: str, consumer: str) -> AsyncIterator[Message]:
        """Iterate without end over the messages of a topic for one consumer of a group.

        First comes what this consumer got before and never acknowledged, then new messages, and in between those
        that another consumer of the group has left unacknowledged for too long.
        """
        ...

    async def check(self) -> None:
        """Return if the bus answers."""
        ...

    async def close(self) -> None:
        """Let go of connections; the bus cannot be used afterwards."""
        ...

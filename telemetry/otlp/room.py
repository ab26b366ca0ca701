"""Room: how many requests and bytes may be in flight at once."""

from types import TracebackType
from typing import Self

from telemetry.otlp.errors import OverloadedError


class Room:
    """Bytes of all bodies in flight: the bounded queue of the receiver."""

    def __init__(self, max_requests: int, max_bytes: int, retry_after_s: int) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._retry_after_s = retry_after_s
        self.requests = 0
        self.bytes = 0

    @property
    def fullness(self) -> float:
        """How much of the room is taken, in [0, 1]."""
        return max(self.requests / self._max_requests, self.bytes / self._max_bytes)

    def enter(self) -> "Share":
        """Return the share of one request; raises OverloadedError when there are too many."""
        if self.requests >= self._max_requests:
            raise OverloadedError("too many requests in flight", retry_after_s=self._retry_after_s)
        return Share(self)

    def expect(self, size: int) -> None:
        """Raise OverloadedError when there is no room for bytes, which is all that is done here."""
        if self.bytes + size > self._max_bytes:
            raise OverloadedError("too many bytes in flight", retry_after_s=self._retry_after_s)

    def take(self, size: int) -> None:
        """Take room for bytes; raises OverloadedError when there is none."""
        self.expect(size)
        self.bytes += size


class Share:
    """What one request holds of the room, given back at the end of the `with` block."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = 0

    def __enter__(self) -> Self:
        self._room.requests += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._room.requests -= 1
        self._room.bytes -= self._held

    def expect(self, size: int) -> None:
        """Raise OverloadedError when there is no room for `size` more bytes now; who only says so holds none."""
        self._room.expect(size)

    def take(self, size: int) -> None:
        """Hold `size` more bytes; raises OverloadedError when there is no room."""
        self._room.take(size)
        self._held += size

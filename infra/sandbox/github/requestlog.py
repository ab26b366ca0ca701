"""What was asked of the stand-in, for tests that count calls."""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 5000


@dataclass(frozen=True)
class RequestEntry:
    """One request that was answered."""

    number: int
    time: str
    method: str
    path: str
    query: str
    status: int
    subject: str
    duration_ms: float
    fault: str | None


class RequestLog:
    """The last requests, numbered from 1."""

    def __init__(self) -> None:
        self._entries: deque[RequestEntry] = deque(maxlen=KEPT)
        self.total = 0

    def add(self, **fields: Any) -> None:
        """Notes a request."""
        self.total += 1
        self._entries.append(RequestEntry(number=self.total, **fields))

    def since(self, number: int) -> list[dict[str, Any]]:
        """The kept entries with a higher number, oldest first."""
        return [asdict(entry) for entry in self._entries if entry.number > number]

    def clear(self) -> None:
        """Forgets the entries; the numbers go on."""
        self._entries.clear()

"""Log records that name a span, by trace, for as long as the trace may still be joined with them."""

from collections.abc import Mapping
from dataclasses import dataclass

from telemetry.profile.rows import LogRow
from telemetry.state.share import Share

_WAIT_S = 120  # twice what a trace waits for its spans: a record may be a minute older than the first span that ends

Key = tuple[str, bytes]
"""Tenant and trace id."""


@dataclass(slots=True)
class _Held:
    """Records of a trace with their span ids; None once there were too many for one trace."""

    first_s: int
    share: Share
    rows: list[tuple[bytes, LogRow]] | None


class SpanLogs:
    """Records before and after their spans; bounded in all and by trace. Times are event time in Unix seconds.

    When there is no room, a smaller share of traces is taken, and what belongs to the others is let go: a trace has all
    of its records or counts as cut.
    """

    def __init__(self, most: int, most_of_trace: int) -> None:
        self._most = most
        self._most_of_trace = most_of_trace
        self._traces: dict[Key, _Held] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, key: Key, span_id: bytes, row: LogRow, share: Share) -> int:
        """Take one record of a trace that `share` holds, and return how many were let go for it."""
        at_s, gone = row.time_ns // 1_000_000_000, 0
        if self._count + len(self._traces) >= self._most:
            share.set(share.now * 3 // 4, at_s)
            gone = self._release()
            if not share.holds(key[1]):
                return gone + 1
        held = self._traces.get(key)
        if held is None:
            held = self._traces[key] = _Held(at_s, share, [])
        if held.rows is None:
            return gone + 1
        held.rows.append((span_id, row))
        self._count += 1
        if len(held.rows) > self._most_of_trace:
            self._count -= len(held.rows)
            gone += len(held.rows)
            held.rows = None
        return gone

    def _release(self) -> int:
        outside = [key for key, held in self._traces.items() if not held.share.holds(key[1])]
        return sum(self._drop(key) for key in outside)

    def _drop(self, key: Key) -> int:
        rows = self._traces.pop(key).rows or ()
        self._count -= len(rows)
        return len(rows)

    def of(self, key: Key) -> Mapping[bytes, list[LogRow]] | None:
        """Return the records of a trace by span id, None when some are missing because there were too many."""
        held = self._traces.get(key)
        if held is None:
            return {}
        if held.rows is None:
            return None
        found: dict[bytes, list[LogRow]] = {}
        for span_id, row in held.rows:
            found.setdefault(span_id, []).append(row)
        return found

    def forget(self, key: Key) -> None:
        """Let go of the records of a trace."""
        if key in self._traces:
            self._drop(key)

    def expire(self, now_s: int) -> None:
        """Let go of records that no span came for."""
        while self._traces:
            key, held = next(iter(self._traces.items()))
            if now_s - held.first_s <= _WAIT_S:
                break
            self._drop(key)

    def clear(self) -> None:
        """Forget every record."""
        self._traces.clear()
        self._count = 0

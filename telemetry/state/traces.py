"""Recent spans by trace: a bounded buffer, and the few traces of it that are kept for the retention."""

from collections.abc import Iterable, Iterator
from typing import Literal

from telemetry.state.limits import Limits
from telemetry.state.resource import Resource
from telemetry.state.share import FULL, Share

Row = tuple[bytes, bytes, int, int, int, bool, str, Resource, str]
"""A span: id, parent's id (or b''), start_ns, end_ns, kind, error, name, resource, note (scrubbed)."""

ENTRY_KINDS = (2, 5)
"""SERVER and CONSUMER (opentelemetry.proto.trace.v1.Span.SpanKind)."""

_WAIT_S = 60  # event time a trace stays in the buffer for its late spans
_GATHER_S = 10  # event time in which the spans of a trace come together: SDKs batch for 5 s
_KEEP = 3  # traces of each sort by service and minute
_MINUTE_S = 60

Why = Literal["error", "slow"]


class Trace:
    """Spans of one trace, as far as they were sampled and there was room."""

    __slots__ = ("error", "first_s", "holders", "id", "rows")

    def __init__(self, trace_id: bytes, first_s: int) -> None:
        self.id = trace_id
        self.first_s = first_s
        self.rows: list[Row] = []
        self.error = False
        self.holders = 0


class _Minute:
    """Kept traces of one minute: by (environment, service) the first to fail and the slowest."""

    def __init__(self) -> None:
        self.failed: dict[tuple[str, str], list[Trace]] = {}
        self.slow: dict[tuple[str, str], list[tuple[int, Trace]]] = {}
        self.spans = 0

    def offer(self, trace: Trace) -> None:
        """Keep a trace if it is among the first failures or the slowest of a service in it."""
        longest: dict[tuple[str, str], int] = {}
        failed: set[tuple[str, str]] = set()
        for _, _, start_ns, end_ns, kind, error, _, resource, _ in trace.rows:
            service = (resource.environment, resource.service)
            if kind in ENTRY_KINDS:
                longest[service] = max(longest.get(service, 0), end_ns - start_ns)
            if error:
                failed.add(service)
        for service in failed:
            held = self.failed.setdefault(service, [])
            if len(held) < _KEEP:
                held.append(trace)
                self._hold(trace, 1)
        for service, duration_ns in longest.items():
            self._offer_slow(service, duration_ns, trace)

    def _offer_slow(self, service: tuple[str, str], duration_ns: int, trace: Trace) -> None:
        held = self.slow.setdefault(service, [])
        if len(held) == _KEEP:
            least = min(range(_KEEP), key=lambda at: held[at][0])
            if held[least][0] >= duration_ns:
                return
            self._hold(held.pop(least)[1], -1)
        held.append((duration_ns, trace))
        self._hold(trace, 1)

    def _hold(self, trace: Trace, change: int) -> None:
        was_held = trace.holders > 0
        trace.holders += change
        if was_held != (trace.holders > 0):
            self.spans += len(trace.rows) * change

    def traces(self) -> Iterator[Trace]:
        """Yield the traces held, possibly more than once."""
        for held in self.failed.values():
            yield from held
        for ranked in self.slow.values():
            yield from (trace for _, trace in ranked)


class TraceStore:
    """Traces of one tenant.

    When spans come faster than the buffer holds for a minute, whole traces are sampled by the last byte of their
    id, so that what is kept stays complete; failed spans are always taken. Times are event time.

    `left` are the traces that left the buffer since somebody took them from there.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.recent: dict[bytes, Trace] = {}
        self.left: list[Trace] = []
        self._recent_spans = 0
        self._minutes: dict[int, _Minute] = {}
        self._sampled = Share()
        self._since_s: int | None = None

    @property
    def share(self) -> int:
        """The part of all traces that is taken, in 256ths."""
        return self._sampled.now

    def add(self, trace_id: bytes, row: Row, error: bool) -> None:  # noqa: FBT001 — the hot path: no keywords
        """Take a span."""
        trace = self.recent.get(trace_id)
        if trace is None:
            if trace_id[15] >= self._sampled.now and not error:
                return
            trace = self.recent[trace_id] = Trace(trace_id, row[3] // 1_000_000_000)
            if self._since_s is None:
                self._since_s = trace.first_s
        if len(trace.rows) < self._limits.max_spans_per_trace:
            trace.rows.append(row)
            self._recent_spans += 1
        if error:
            trace.error = True

    def sampled(self, trace_id: bytes) -> bool:
        """Return whether spans of a trace are kept even if they did not fail."""
        return self._sampled.holds(trace_id) or trace_id in self.recent

    def is_whole(self, trace: Trace, now_s: int) -> bool:
        """Return whether all spans of a trace are here, as far as can be told at event time `now_s`.

        Not while more may come: until its root has ended, or time enough has passed for a root that somebody else sees.
        Not when its first spans may have come before anything was kept, nor when there was no room for some.
        """
        if len(trace.rows) >= self._limits.max_spans_per_trace or not self._sampled.held(trace.id):
            return False
        if self._since_s is None or trace.first_s < self._since_s + _GATHER_S:
            return False
        if trace.first_s <= now_s - _GATHER_S:
            return True
        return any(not row[1] and row[3] <= now_s * 1_000_000_000 for row in trace.rows)

    def expire(self, now_s: int) -> None:
        """Move traces out of the buffer that are complete by event time or have no room; forget the oldest kept."""
        crowded = False
        while self.recent:
            trace = next(iter(self.recent.values()))
            waited_s = now_s - trace.first_s
            if waited_s <= _WAIT_S and self._recent_spans <= self._limits.max_buffered_spans:
                break
            crowded = crowded or waited_s <= _WAIT_S
            del self.recent[trace.id]
            self._recent_spans -= len(trace.rows)
            self.left.append(trace)
            self._minutes.setdefault(trace.first_s // _MINUTE_S, _Minute()).offer(trace)
        part = self._sampled.now
        if crowded:
            part = max(1, part * 3 // 4)
        elif self._recent_spans < self._limits.max_buffered_spans // 2:
            part = min(FULL, part * 5 // 4 + 1)
        self._sampled.set(part, now_s)
        self._forget(now_s)

    def _forget(self, now_s: int) -> None:
        kept = sum(minute.spans for minute in self._minutes.values())
        for at in sorted(self._minutes):
            if (at + 1) * _MINUTE_S > now_s - self._limits.retention_s and kept <= self._limits.max_kept_spans:
                break
            kept -= self._minutes.pop(at).spans

    def clear(self) -> None:
        """Forget every trace."""
        self.recent.clear()
        self.left.clear()
        self._since_s = None
        self._recent_spans = 0
        self._minutes.clear()

    def between(self, start_s: int, end_s: int) -> Iterable[Trace]:
        """Return the distinct traces, kept or recent, that may have spans that end in [start_s, end_s)."""
        found = {trace.id: trace for trace in self.recent.values()}
        for at, minute in self._minutes.items():
            if (at + 2) * _MINUTE_S > start_s and at * _MINUTE_S - _WAIT_S < end_s:
                for trace in minute.traces():
                    found.setdefault(trace.id, trace)
        return found.values()

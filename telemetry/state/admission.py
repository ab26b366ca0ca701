"""Admission of spans: which of them are well-formed, in time, and here for the first time."""

from telemetry.state.columns import SpanColumns
from telemetry.state.drops import Drops
from telemetry.state.intake import Intake

_TRACE_ID, _SPAN_ID = 16, 8  # bytes: lengths in the OTLP specification
_NO_TRACE, _NO_SPAN = bytes(_TRACE_ID), bytes(_SPAN_ID)

BAD_IDS = "span or trace ids of wrong length or all zero"
NO_TIMES = "spans without start or end time"


class Admission:
    """Admits the spans of one tenant, each once as long as it is remembered.

    Nearly always all spans of a request are admitted, so each question is first asked of all of them together.
    """

    def __init__(self, max_ids: int, drops: Drops) -> None:
        self._drops = drops
        self._seen = _Seen(max_ids)

    def admit(self, spans: SpanColumns, oldest_ns: int, newest_ns: int, intake: Intake) -> SpanColumns:
        """Return the spans to take, that end within [oldest_ns, newest_ns]; the others are counted."""
        if not _are_well_formed(spans):
            spans = spans.only([at for at in range(len(spans)) if _is_well_formed(spans, at, intake)])
        intake.accepted += len(spans)
        if spans and (min(spans.ends_ns) < oldest_ns or max(spans.ends_ns) > newest_ns):
            spans = self._in_time(spans, oldest_ns, newest_ns)
        if not self._seen.all_new(spans):
            new = self._seen.new(spans)
            self._drops.count("duplicates", len(spans) - len(new))
            spans = spans.only(new)
        if spans:
            intake.see(min(spans.ends_ns), max(spans.ends_ns))
        return spans

    def _in_time(self, spans: SpanColumns, oldest_ns: int, newest_ns: int) -> SpanColumns:
        self._drops.count("late", sum(end_ns < oldest_ns for end_ns in spans.ends_ns))
        self._drops.count("future", sum(end_ns > newest_ns for end_ns in spans.ends_ns))
        return spans.only([at for at, end_ns in enumerate(spans.ends_ns) if oldest_ns <= end_ns <= newest_ns])


class _Seen:
    """The ids of spans that came, in two generations of about `max_ids`.

    A span id is unique within its trace (OpenTelemetry trace API), and, being random, nearly always without it: then
    one look at a table of span ids is enough. `others` are spans whose id another trace has used before.
    """

    def __init__(self, max_ids: int) -> None:
        self._max = max_ids
        self._traces: dict[bytes, bytes] = {}
        """By span id the trace that used it first."""
        self._traces_before: dict[bytes, bytes] = {}
        self._others: set[bytes] = set()
        self._others_before: set[bytes] = set()

    def all_new(self, spans: SpanColumns) -> bool:
        """Return whether no trace has used any of the span ids, and remember them if so."""
        ids = spans.span_ids
        if not self._traces.keys().isdisjoint(ids) or not self._traces_before.keys().isdisjoint(ids):
            return False
        own = dict(zip(ids, spans.trace_ids, strict=True))
        if len(own) < len(ids):
            return False
        self._traces |= own
        self._turn()
        return True

    def new(self, spans: SpanColumns) -> list[int]:
        """Return the places of the spans that are here for the first time, and remember them."""
        return [
            at
            for at, (trace_id, span_id) in enumerate(zip(spans.trace_ids, spans.span_ids, strict=True))
            if self._is_new(trace_id, span_id)
        ]

    def _is_new(self, trace_id: bytes, span_id: bytes) -> bool:
        first = self._traces.get(span_id) or self._traces_before.get(span_id)
        if first is None:
            self._traces[span_id] = trace_id
        else:
            key = trace_id + span_id
            if first == trace_id or key in self._others or key in self._others_before:
                return False
            self._others.add(key)
        self._turn()
        return True

    def _turn(self) -> None:
        if len(self._traces) + len(self._others) > self._max:
            self._traces_before, self._traces = self._traces, {}
            self._others_before, self._others = self._others, set()


def _are_well_formed(spans: SpanColumns) -> bool:
    return (
        set(map(len, spans.trace_ids)) <= {_TRACE_ID}
        and set(map(len, spans.span_ids)) <= {_SPAN_ID}
        and set(map(len, spans.parent_ids)) <= {0, _SPAN_ID}
        and _NO_TRACE not in spans.trace_ids
        and _NO_SPAN not in spans.span_ids
        and 0 not in spans.starts_ns
        and 0 not in spans.ends_ns
    )


def _is_well_formed(spans: SpanColumns, at: int, intake: Intake) -> bool:
    """Return whether a span is, and count it otherwise."""
    trace_id, span_id, parent_id = spans.trace_ids[at], spans.span_ids[at], spans.parent_ids[at]
    if (
        len(trace_id) != _TRACE_ID
        or len(span_id) != _SPAN_ID
        or len(parent_id) not in (0, _SPAN_ID)
        or trace_id == _NO_TRACE
        or span_id == _NO_SPAN
    ):
        intake.reject(BAD_IDS)
        return False
    if not spans.starts_ns[at] or not spans.ends_ns[at]:
        intake.reject(NO_TIMES)
        return False
    return True

"""Admission of spans: which of them are well-formed, in time, and here for the first time."""

from telemetry.state.columns import SpanColumns
from telemetry.state.drops import Drops
from telemetry.state.intake import Intake
from telemetry.state.seen import SeenSpans

_TRACE_ID, _SPAN_ID = 16, 8  # bytes: lengths in the OTLP specification
_NO_TRACE, _NO_SPAN = bytes(_TRACE_ID), bytes(_SPAN_ID)

BAD_IDS = "span or trace ids of wrong length or all zero"
NO_TIMES = "spans without start or end time"


class Admission:
    """Admits the spans of one tenant, each once as long as it is remembered.

    Nearly always all spans of a request are admitted, so each question is first asked of all of them together.
    """

    def __init__(self, seen: SeenSpans, drops: Drops) -> None:
        self._seen = seen
        self._drops = drops

    def admit(self, spans: SpanColumns, oldest_ns: int, newest_ns: int, intake: Intake) -> SpanColumns:
        """Return the spans to take, that end within [oldest_ns, newest_ns]; the others are counted."""
        if not _are_well_formed(spans):
            spans = spans.only([at for at in range(len(spans)) if _is_well_formed(spans, at, intake)])
        intake.accepted += len(spans)
        if not spans:
            return spans
        first_ns, last_ns = min(spans.ends_ns), max(spans.ends_ns)
        if first_ns < oldest_ns or last_ns > newest_ns:
            spans = self._in_time(spans, oldest_ns, newest_ns)
        new = self._seen.new(spans)
        if len(new) < len(spans) or not oldest_ns <= first_ns <= last_ns <= newest_ns:
            self._drops.count("duplicates", len(spans) - len(new))
            if not new:
                return new
            first_ns, last_ns = min(new.ends_ns), max(new.ends_ns)
        intake.see(first_ns, last_ns)
        return new

    def _in_time(self, spans: SpanColumns, oldest_ns: int, newest_ns: int) -> SpanColumns:
        self._drops.count("late", sum(end_ns < oldest_ns for end_ns in spans.ends_ns))
        self._drops.count("future", sum(end_ns > newest_ns for end_ns in spans.ends_ns))
        return spans.only([at for at, end_ns in enumerate(spans.ends_ns) if oldest_ns <= end_ns <= newest_ns])


def _are_well_formed(spans: SpanColumns) -> bool:
    return (
        set(map(len, spans.trace_ids)) <= {_TRACE_ID}
        and set(map(len, spans.span_ids)) <= {_SPAN_ID}
        and set(map(len, spans.parent_ids)) <= {0, _SPAN_ID}
        and _NO_TRACE not in spans.trace_ids
        and _NO_SPAN not in spans.span_ids
        and all(spans.starts_ns)
        and all(spans.ends_ns)
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

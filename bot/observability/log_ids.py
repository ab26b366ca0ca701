"""Log lines carry the ids of the trace that they belong to, when tracing is on."""

from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
from structlog.typing import EventDict, WrappedLogger


def add_trace_ids(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return the event with `trace_id` and `span_id` of the current span; without one as it is."""
    context = get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format_trace_id(context.trace_id)
        event["span_id"] = format_span_id(context.span_id)
    return event

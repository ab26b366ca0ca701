"""Spans: one trace per incident, whose root is exported when the incident ends, and one small trace per delivery."""

import contextlib
from collections.abc import Generator, Mapping
from datetime import datetime

from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    NoOpTracer,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
    use_span,
)

from agents.incident import Incident
from bot.observability.ids import ChosenIds, Ids, ids_of

SCOPE = "sre-space"

Attributes = Mapping[str, str | int | bool]


class Traces:
    """Makes the spans; without a provider none, at the price of a function call."""

    def __init__(self, provider: TracerProvider | None = None, ids: ChosenIds | None = None) -> None:
        self._sampler = provider.sampler if provider else None
        self._tracer = provider.get_tracer(SCOPE) if provider else NoOpTracer()
        self._ids = ids or ChosenIds()

    @property
    def on(self) -> bool:
        """Whether spans are made."""
        return self._sampler is not None

    @contextlib.contextmanager
    def within(self, ids: Ids) -> Generator[None]:
        """Make the root span `ids` the parent of every span, and the ids of every log line, of the block."""
        if self._sampler is None:
            yield
            return
        root = set_span_in_context(NonRecordingSpan(self._context(ids)), Context())
        token = contexts.attach(root)
        try:
            yield
        finally:
            contexts.detach(token)

    def _context(self, ids: Ids) -> SpanContext:
        """Return the root span's context. The sampler decides by the trace id, so that each process finds the same."""
        sampled = (
            self._sampler is not None and self._sampler.should_sample(None, ids.trace_id, "root").decision.is_sampled()
        )
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        return SpanContext(ids.trace_id, ids.span_id, is_remote=True, trace_flags=flags)

    @contextlib.contextmanager
    def span(
        self, name: str, attributes: Attributes | None = None, kind: SpanKind = SpanKind.INTERNAL
    ) -> Generator[Span]:
        """Make a span of the block; one that raises carries the error's class, never its text, which may be anybody's.

        Outside of an incident nothing is made: such spans would be traces of their own that nobody asks for.
        """
        if not get_current_span().get_span_context().is_valid:
            yield get_current_span()
            return
        span = self._tracer.start_span(name, attributes=attributes, kind=kind)
        with _ended(span):
            yield span

    @contextlib.contextmanager
    def delivery(self, guid: str, event: str) -> Generator[Span]:
        """Make the span of a delivery's handling, linked to its arrival; it is exported if the block sets `incident`.

        Whoever handles a delivery that is about no incident leaves nothing behind in a trace without a root.
        """
        links = [Link(self._context(ids_of("delivery", guid)))] if self.on else []
        attributes = {"sre_space.delivery.id": guid, "sre_space.delivery.event": event}
        span = self._tracer.start_span(f"delivery {event}", attributes=attributes, kind=SpanKind.CONSUMER, links=links)
        with _ended(span, only_if="sre_space.incident.id"):
            yield span

    @contextlib.contextmanager
    def arrival(
        self, guid: str, name: str, kind: SpanKind, attributes: Attributes, started_ns: int | None = None
    ) -> Generator[Span]:
        """Make the root span of a delivery's own trace, under the ids that its handling links to."""
        with self._ids.chosen(ids_of("delivery", guid)):
            span = self._tracer.start_span(
                name, context=Context(), kind=kind, attributes=attributes, start_time=started_ns
            )
        with _ended(span):
            yield span

    def ended(self, incident: Incident) -> None:
        """Export the root span of an incident: from onset to the end, with an event for every stage."""
        with self._ids.chosen(ids_of("incident", incident.id)):
            span = self._tracer.start_span(
                "incident",
                context=Context(),
                start_time=_ns(incident.clock.onset),
                attributes=_about(incident),
            )
        span.add_event("detected", timestamp=_ns(incident.clock.detected))
        for entry in incident.timeline:
            span.add_event(entry.stage, {"sre_space.agent": entry.agent}, timestamp=_ns(entry.at))
        span.end(_ns(incident.timeline[-1].at) if incident.timeline else None)


@contextlib.contextmanager
def _ended(span: Span, only_if: str | None = None) -> Generator[None]:
    """Make a span the current one of the block and end it after; an un-ended span is never exported."""
    failed = False
    try:
        with use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
            yield
    except BaseException as error:
        failed = True
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        if failed or only_if is None or only_if in (getattr(span, "attributes", None) or {}):
            span.end()


def _about(incident: Incident) -> Attributes:
    found: dict[str, str | int | bool] = {
        "sre_space.incident.id": incident.id,
        "sre_space.incident.outcome": incident.stage,
        "sre_space.incident.severity": incident.severity,
        "sre_space.incident.from_memory": incident.recalled is not None,
        "sre_space.github.calls": incident.github_calls,
        "vcs.repository.name": incident.repo.full_name,
    }
    if incident.issue is not None:
        found["sre_space.incident.issue"] = incident.issue
    if incident.service is not None:
        found["sre_space.incident.service"] = incident.service
    return found


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000

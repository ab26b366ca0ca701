"""Trace evidence: exemplars of failing and of slow requests, trimmed to the spans that matter."""

from typing import Literal

from telemetry.evidence.scope import NEAR, Scope
from telemetry.model import TraceEvidence, TraceSpan
from telemetry.state import ExemplarTrace, TelemetryState
from telemetry.steps import Steps

_DRAFT = "E0"
_PER_SERVICE = 2
_SPANS_MAX = 40


def exemplars(
    state: TelemetryState, scope: Scope, why: Literal["error", "slow"], limit: int
) -> Steps[list[TraceEvidence]]:
    """Return in steps up to `limit` traces of the affected services during the fault, the root's first."""
    services = frozenset(service for service in scope.near if scope.closeness(service) < NEAR)
    place = (scope.tenant, scope.environment)
    by_service = yield from state.exemplars(place, services, *scope.fault_s, why, _PER_SERVICE)
    found: dict[str, ExemplarTrace] = {}
    for service in sorted(by_service, key=lambda s: (scope.closeness(s), s)):
        for trace in by_service[service]:
            found.setdefault(trace.trace_id, trace)
    return [
        TraceEvidence(id=_DRAFT, trace_id=trace.trace_id, why=why, spans=trimmed(trace.spans))
        for trace in list(found.values())[:limit]
    ]


def trimmed(spans: tuple[TraceSpan, ...], limit: int = _SPANS_MAX) -> tuple[TraceSpan, ...]:
    """Return at most `limit` spans in their order: failing ones and long ones, each with its ancestors."""
    if len(spans) <= limit:
        return spans
    by_id = {span.span_id: span for span in spans}
    kept: set[str] = set()
    for span in sorted(spans, key=lambda s: (not s.error, -s.self_ms, s.offset_ms, s.span_id)):
        line = _line(span, by_id) - kept
        if len(kept) + len(line) <= limit:
            kept |= line
    return tuple(span for span in spans if span.span_id in kept)


def _line(span: TraceSpan, by_id: dict[str, TraceSpan]) -> set[str]:
    """Return the span and its ancestors, as far as they are known."""
    line: set[str] = set()
    current: TraceSpan | None = span
    while current is not None and current.span_id not in line:
        line.add(current.span_id)
        current = by_id.get(current.parent_id or "")
    return line

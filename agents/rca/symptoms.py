"""Symptoms, slowness without another explanation, and slowness of the way between two services."""

from collections import Counter
from collections.abc import Iterator

from agents.diagnosis import CauseKind
from agents.rca import words
from agents.rca.finding import Finding, finding
from agents.rca.propagation import error_strength, latency_strength
from agents.rca.view import View, error_rise, latency_rise_ms
from telemetry.model import EdgeEvidence, RedEvidence

EXPLAINED_SHARE = 0.5
"""Ordinal: a callee that got slower by at least half as much as its caller is the reason for it."""


def find_symptoms(view: View) -> Iterator[Finding]:
    """Yield for each service its worst operation by errors and by latency, as the service itself reports."""
    for service, items in view.reds.items():
        by_errors = max(items, key=lambda item: error_rise(item.before, item.after, view.parameters))
        strength = error_strength(view, by_errors.before, by_errors.after)
        if strength:
            text = (
                f"{service} {by_errors.operation}: {words.failed(by_errors.after)}, "
                f"before: {words.error_ratio(by_errors.before)}"
            )
            yield finding(service, by_errors.operation, None, view.parameters.w_symptom * strength, text, by_errors.id)
        slow = _slowest(view, items)
        strength = latency_strength(view, slow.before, slow.after)
        if strength:
            text = f"{_took(service, slow)}"
            yield finding(service, slow.operation, None, view.parameters.w_symptom * strength, text, slow.id)


def find_silent_callees(view: View) -> Iterator[Finding]:
    """Yield callees that are gone, or send no telemetry of their own, when calls to them fail or are slow."""
    p = view.parameters
    for edge in view.edges:
        failing = error_strength(view, edge.before, edge.after)
        slow = latency_strength(view, edge.before, edge.after)
        if edge.callee in view.reds:
            if failing and view.gone(edge.callee):
                ids = [item.id for item in view.reds[edge.callee]][:3]
                text = f"{edge.callee} stopped serving, and calls from {edge.caller} fail: {words.failed(edge.after)}"
                yield finding(edge.callee, None, CauseKind.DEPENDENCY_DOWN, p.w_down * failing, text, edge.id, *ids)
            continue
        if failing:
            text = f"calls from {edge.caller} to {edge.callee}: {words.failed(edge.after)}"
            yield finding(edge.callee, None, CauseKind.DEPENDENCY_DOWN, p.w_status * failing, text, edge.id)
        if slow:
            text = (
                f"calls from {edge.caller} to {edge.callee} take {words.ms(edge.after.p95_ms)} at p95, "
                f"{words.ms(edge.before.p95_ms)} before"
            )
            yield finding(edge.callee, None, CauseKind.LATENCY_REGRESSION, p.w_slow * slow, text, edge.id)


def find_own_slowness(view: View) -> Iterator[Finding]:
    """Yield services that got slower while no callee accounts for half of it."""
    p = view.parameters
    for service, items in view.reds.items():
        slow = _slowest(view, items)
        own_ms = latency_rise_ms(slow.before, slow.after, p)
        edges = view.edges_from(service)
        below_ms = max((latency_rise_ms(edge.before, edge.after, p) for edge in edges), default=0.0)
        if own_ms == 0 or below_ms >= EXPLAINED_SHARE * own_ms:
            continue
        weight = p.w_slow * latency_strength(view, slow.before, slow.after)
        callees = sorted({edge.callee for edge in edges})
        text = _took(service, slow) + (
            f", while its calls to {words.short(', '.join(callees))} are as fast as before" if callees else ""
        )
        ids = [slow.id, *(edge.id for edge in edges[:3])]
        yield finding(service, slow.operation, CauseKind.LATENCY_REGRESSION, weight, text, *ids)


def find_network_gaps(view: View) -> Iterator[Finding]:
    """Yield services towards which calls got slower although the callee works as fast as before.

    The end that several such calls share is meant; with one call it is the callee.
    """
    p = view.parameters
    gaps = [edge for edge in view.edges if edge.callee in view.reds and _has_gap(view, edge)]
    ends = Counter(end for edge in gaps for end in {edge.caller, edge.callee})
    for edge in gaps:
        service = edge.caller if ends[edge.caller] > max(1, ends[edge.callee]) else edge.callee
        weight = p.w_network * latency_strength(view, edge.before, edge.after)
        text = (
            f"calls from {edge.caller} to {edge.callee} take {words.ms(edge.after.p95_ms)} at p95, "
            f"{words.ms(edge.before.p95_ms)} before, while {edge.callee} itself works as fast as before"
        )
        ids = [edge.id, *(item.id for item in view.reds[edge.callee][:2])]
        yield finding(service, None, CauseKind.NETWORK_DELAY, weight, text, *ids)


def _has_gap(view: View, edge: EdgeEvidence) -> bool:
    p = view.parameters
    rise_ms = latency_rise_ms(edge.before, edge.after, p)
    callee_ms = max(
        (
            (item.after.p95_ms or 0.0) - (item.before.p95_ms or 0.0)
            for item in view.reds[edge.callee]
            if item.after.requests
        ),
        default=0.0,
    )
    return rise_ms > 0 and not view.gone(edge.callee) and rise_ms - callee_ms >= p.gap_share * rise_ms


def _slowest(view: View, items: list[RedEvidence]) -> RedEvidence:
    return max(items, key=lambda item: latency_rise_ms(item.before, item.after, view.parameters))


def _took(service: str, item: RedEvidence) -> str:
    return (
        f"{service} {item.operation} takes {words.ms(item.after.p95_ms)} at p95, {words.ms(item.before.p95_ms)} before"
    )

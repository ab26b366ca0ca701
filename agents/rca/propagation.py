"""A caller that suffers is not the culprit: how much of a service's trouble its callees account for."""

from agents.diagnosis import CauseKind, Claim
from agents.rca import words
from agents.rca.finding import Finding
from agents.rca.view import View, error_rise, latency_rise_ms
from telemetry.model import EdgeEvidence, RedSummary


def error_strength(view: View, before: RedSummary, after: RedSummary) -> float:
    """Return how strong a rise of the error ratio is, in [0, 1]."""
    return min(1.0, error_rise(before, after, view.parameters) / view.parameters.error_ratio_full)


def latency_strength(view: View, before: RedSummary, after: RedSummary) -> float:
    """Return how strong a rise of p95 is, in [0, 1]: doubled or more is 1."""
    rise_ms = latency_rise_ms(before, after, view.parameters)
    return min(1.0, rise_ms / before.p95_ms) if before.p95_ms else 0.0


def is_changed(view: View, service: str) -> bool:
    """Return whether any operation of `service` fails or is slow since the fault, as the service itself reports."""
    return any(
        error_rise(item.before, item.after, view.parameters)
        or latency_rise_ms(item.before, item.after, view.parameters)
        for item in view.reds.get(service, [])
    )


def is_worse(view: View, edge: EdgeEvidence) -> bool:
    """Return whether calls along `edge` fail or are slow since the fault, as the caller sees them."""
    return bool(
        error_rise(edge.before, edge.after, view.parameters)
        or latency_rise_ms(edge.before, edge.after, view.parameters)
    )


def callee_is_bad(view: View, caller: str, callee: str) -> bool:
    """Return whether calls to `callee` are worse and it is not the caller's own doing.

    The callee must show it: by its own report, by falling silent, or, when it sends no telemetry, by the calls alone.
    A callee that is well by its own report is not to blame for a caller that gives up too early.
    """
    edges = [edge for edge in view.edges_from(caller) if edge.callee == callee and is_worse(view, edge)]
    if not edges:
        return False
    if callee in view.reds:
        return is_changed(view, callee) or view.gone(callee)
    return True


def worst_edge(view: View, service: str) -> EdgeEvidence | None:
    """Return the call of `service` that got worst and whose callee is to blame, if there is one."""
    edges = [edge for edge in view.edges_from(service) if callee_is_bad(view, service, edge.callee)]

    def badness(edge: EdgeEvidence) -> tuple[float, float]:
        p = view.parameters
        return (latency_rise_ms(edge.before, edge.after, p), error_rise(edge.before, edge.after, p))

    return max((edge for edge in edges if is_worse(view, edge)), key=badness, default=None)


def explained(view: View, service: str, findings: list[Finding]) -> tuple[float, Claim | None]:
    """Return which share of the trouble of `service` its callees account for, in [0, 1], and the claim that says so.

    The shares of errors and of latency are each that of the worst callee, averaged by how strong the symptom is.
    A pool that is exhausted accounts for calls to a database that fail: those then explain nothing.
    """
    strengths = [
        (error_strength(view, item.before, item.after), latency_strength(view, item.before, item.after))
        for item in view.reds.get(service, [])
    ]
    errors = max((strength for strength, _ in strengths), default=0.0)
    slowness = max((strength for _, strength in strengths), default=0.0)
    pool = any(found.kind is CauseKind.DB_POOL_EXHAUSTION for found in findings)
    edges = [
        edge
        for edge in view.edges_from(service)
        if callee_is_bad(view, service, edge.callee) and not (pool and edge.callee not in view.reds)
    ]
    if not edges or errors + slowness == 0:
        return 0.0, None
    shares = {edge.id: _share(view, service, edge, errors, slowness) for edge in edges}
    worst = max(edges, key=lambda edge: shares[edge.id])
    if shares[worst.id] == 0:
        return 0.0, None
    text = (
        f"{service} calls {worst.callee}, and those calls got worse: {words.failed(worst.after)}, p95 "
        f"{words.ms(worst.after.p95_ms)} (before: {words.error_ratio(worst.before)}, {words.ms(worst.before.p95_ms)})"
    )
    return shares[worst.id], Claim(text=text, evidence=(worst.id,))


def _share(view: View, service: str, edge: EdgeEvidence, errors: float, slowness: float) -> float:
    p = view.parameters
    reds = view.reds.get(service, [])
    own_errors = max((error_rise(item.before, item.after, p) for item in reds), default=0.0)
    own_ms = max((latency_rise_ms(item.before, item.after, p) for item in reds), default=0.0)
    error_share = min(1.0, error_rise(edge.before, edge.after, p) / own_errors) if own_errors else 0.0
    latency_share = min(1.0, latency_rise_ms(edge.before, edge.after, p) / own_ms) if own_ms else 0.0
    return (errors * error_share + slowness * latency_share) / (errors + slowness)

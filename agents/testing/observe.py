"""How each number of the ranking shows: functions of the parameters and of one amount `x` in small evidence."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from agents.diagnosis import Candidate, CauseKind, Claim, Verdict
from agents.rca import rank, verdict
from agents.rca.errors import find_errors, find_leaves, grown
from agents.rca.finding import Finding
from agents.rca.parameters import Parameters
from agents.rca.propagation import error_strength
from agents.rca.resources import find_full_machines, find_full_pools
from agents.rca.symptoms import find_network_gaps, find_own_slowness, find_silent_callees, find_symptoms
from agents.rca.view import View, error_rise, latency_rise_ms, view_of
from agents.testing.builders import ONSET, bundle, edge, error_signature, metric, red, span, summary, trace, version
from telemetry.model import (
    Evidence,
    RedSummary,
    SignatureEvidence,
)

Finder = Callable[[View], Iterator[Finding]]
STEADY = red("s", "op", summary(10_000, 1_000, 100), summary(10_000, 1_000, 100))
"""A service of which every tenth request fails, as before."""
FRAMES = (("a/b.py", "f"),)


def view(p: Parameters, *items: Evidence) -> View:
    """Return the items as the finders see them; the normal stretch has 300 s, the fault 40 s."""
    return view_of(bundle(*items), p)


def weight(finder: Finder, p: Parameters, *items: Evidence, service: str = "s") -> float:
    """Return the sum of the weights that a finder gives a service."""
    return round(sum(found.weight for found in finder(view(p, *items)) if found.service == service), 6)


def score(p: Parameters, *items: Evidence) -> float:
    """Return the score of `s`, however low."""
    ranked = rank(bundle(*items), replace(p, min_score=0.0))
    return next((found.score for found in ranked if found.service == "s"), 0.0)


def failing(x: float, before: float = 0.0) -> tuple[RedSummary, RedSummary]:
    """Return requests of which the share `before` failed, and fails the share `x` now."""
    return summary(10_000, round(10_000 * before), 100), summary(10_000, round(10_000 * x), 100)


def slower(x: float, before: float = 1000.0) -> tuple[RedSummary, RedSummary]:
    """Return requests whose p95 rose from `before` to `x` milliseconds."""
    return summary(1000, 0, before), summary(1000, 0, x)


def error_ratio(p: Parameters, x: float, before: float = 0.0) -> float:
    """Return by how much an error ratio of `x` is a rise."""
    return round(error_rise(*failing(x, before), p), 6)


def few_errors(p: Parameters, x: float) -> float:
    """Return the rise of the error ratio with `x` errors in 20 requests."""
    return error_rise(summary(20), summary(20, int(x)), p)


def errors_in_full(p: Parameters, x: float) -> float:
    """Return how strong a rise of the error ratio to `x` is."""
    return round(error_strength(view(p), *failing(x)), 6)


def latency(p: Parameters, x: float, before: float = 200.0) -> float:
    """Return by how much a p95 of `x` is a rise."""
    return round(latency_rise_ms(*slower(x, before), p), 6)


def deployed(p: Parameters, x: float) -> bool:
    """Return whether a deploy `x` seconds before the fault counts."""
    changed = version("s", "a" * 40, "b" * 40, changed_at=ONSET - timedelta(seconds=x))
    return view(p, changed).recent_change("s") is not None


def silent(p: Parameters, x: float) -> bool:
    """Return whether a service that would have had 40,000 requests is gone with `x` of them."""
    return view(p, red("s", "op", summary(300_000), summary(int(x)))).gone("s")


def signature(x: float, error_type: str = "KeyError", message: str = "k", **changes: object) -> SignatureEvidence:
    """Return an error that came `x` times; without frames when it is a status code."""
    frames = () if error_type.isdigit() else FRAMES
    made = error_signature("s", "op", error_type, message, frames, count=int(x))
    return made.model_copy(update=changes)


def grows(p: Parameters, x: float) -> bool:
    """Return whether an error that was to come 40 times has grown when it comes `x` times."""
    return grown(signature(x, count_before=300, is_new=False), view(p))


def errors(p: Parameters, x: float, error_type: str, message: str = "k", service: str = "s") -> float:
    """Return the weight of an error that `x` of 1,000 failures have, of a service whose calls to `d` fail more."""
    items: list[Evidence] = [STEADY, signature(x, error_type, message)]
    if service != "s":
        items.append(edge("s", service, *failing(0.5)))
    return weight(find_errors, p, *items, service=service)


def leaves(p: Parameters, x: float) -> float:
    """Return the weight of `x` of ten error traces that end in the service."""
    ends = ["s" if number < x else "t" for number in range(10)]
    return weight(find_leaves, p, *(trace("error", span(1, None, end, "op", "server", 1, 1, error="")) for end in ends))


def pool(p: Parameters, x: float) -> float:
    """Return the weight of a pool of which `x` of 1,000 connections are in use."""
    return weight(find_full_pools, p, metric("s", "db.client.connection.count", 0, x, limit=1000))


def pending(p: Parameters, x: float) -> float:
    """Return the weight of `x` requests that wait for a connection, where four did before."""
    return weight(find_full_pools, p, metric("s", "db.client.connection.pending_requests", 4, x))


def memory(p: Parameters, x: float) -> float:
    """Return the weight of `x` of 1,000 bytes in use."""
    return weight(find_full_machines, p, metric("s", "process.memory.usage", 0, x, limit=1000))


def own_slowness(p: Parameters, x: float) -> float:
    """Return the weight of a p95 that rose from 1,000 ms to `x`."""
    return weight(find_own_slowness, p, red("s", "op", *slower(x)))


def symptoms(p: Parameters, x: float) -> float:
    """Return the weight of an error ratio that rose to `x`, beside an operation that fails as seldom as before."""
    return weight(find_symptoms, p, red("s", "op", *failing(x)), red("s", "other", *failing(0.0)))


def slow_symptoms(p: Parameters, x: float) -> float:
    """Return the weight of a p95 that rose from 1,000 ms to `x`, beside an operation that is as fast as before."""
    return weight(find_symptoms, p, red("s", "op", *slower(x)), red("s", "other", *slower(1000)))


def unknown_callee(p: Parameters, x: float) -> float:
    """Return the weight against a service without telemetry, when calls to it fail with the ratio `x`."""
    return weight(find_silent_callees, p, edge("c", "s", *failing(x)))


def slow_unknown_callee(p: Parameters, x: float) -> float:
    """Return the weight against a service without telemetry, when the p95 of calls to it rose to `x`."""
    return weight(find_silent_callees, p, edge("c", "s", *slower(x)))


def silent_callee(p: Parameters, x: float) -> float:
    """Return the weight against a service that fell silent, when calls to it fail with the ratio `x`."""
    gone = red("s", "op", summary(10_000, 0, 100), summary(0))
    return weight(find_silent_callees, p, gone, edge("c", "s", *failing(x)))


def network(p: Parameters, x: float) -> float:
    """Return the weight of a way that is 1,000 ms slower, of which its callee accounts for `x` ms."""
    return weight(find_network_gaps, p, edge("c", "s", *slower(2000)), red("s", "op", *slower(1000 + x)))


def fresh_deploy(p: Parameters, x: float) -> float:
    """Return the score of an error of half of the failures with a deploy `x` seconds before."""
    changed = version("s", "a" * 40, "b" * 40, changed_at=ONSET - timedelta(seconds=x))
    return score(p, STEADY, signature(500), changed)


def victim(p: Parameters, x: float, *causes: Evidence) -> float:
    """Return the score of a service whose requests fail, as calls of it do with the ratio `x`."""
    return score(p, red("s", "op", *failing(0.5)), edge("s", "db", *failing(x)), *causes)


def victim_with_cause(p: Parameters, x: float) -> float:
    """Return the same for a service that has an exception of its own."""
    return victim(p, x, signature(5000))


def shown(p: Parameters, x: float) -> int:
    """Return how many candidates an error that `x` of 10,000 failures have makes."""
    many = red("s", "op", summary(100_000, 10_000, 100), summary(100_000, 10_000, 100))
    return len(rank(bundle(many, signature(x, "500", "")), p))


def judged(p: Parameters, x: float, second: float = 0.0) -> Verdict:
    """Return how sure a candidate of the score `x` is that two kinds of evidence show; another one has `second`."""
    items = bundle(STEADY, signature(5))
    claim = Claim(text="seen", evidence=("E1", "E2"))
    ranked = [
        Candidate(service=name, operation=None, kind=CauseKind.EXCEPTION, score=points, speaks_for=(claim,))
        for name, points in (("s", x), ("t", second))
        if points
    ]
    return verdict(tuple(ranked), items, p)

"""Changed flows: work that is no longer done, or fails on its way, told by what follows what."""

import math
from collections.abc import Iterator

from agents.diagnosis import CauseKind
from agents.rca import words
from agents.rca.finding import Finding, effect
from agents.rca.parameters import Parameters
from agents.rca.propagation import worst_edge
from agents.rca.view import View
from telemetry.model import FlowEvidence, Followed

_ENDS = frozenset({"", "$"})
_WARN = 13
"""OTLP severity number of WARN."""
_Z95 = 1.645
"""One-sided 95 % of the normal distribution."""


def log_odds_shift(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return the lower 95 % bound of the log odds ratio of two shares `(count, total)`, 0 or more.

    With Haldane's correction of half a count (Agresti, Categorical Data Analysis, 3.1.1).
    """
    (a, n), (b, m) = before, after
    cells = (a + 0.5, n - a + 0.5, b + 0.5, m - b + 0.5)
    ratio = math.log(cells[2] / cells[3]) - math.log(cells[0] / cells[1])
    return max(0.0, ratio - _Z95 * math.sqrt(sum(1 / cell for cell in cells)))


def flow_strength(item: FlowEvidence, p: Parameters) -> float:
    """Return how clearly an operation left its usual way, in [0, 1].

    Judged by the surer of what it lost and what it gained, against all normal windows together. What it gained must be
    new: its share in normal time counts against it, because a way that is often taken is another mix of requests. Where
    it is an error or an early end, the share in the window that knew it least counts: an earlier fault may still have
    gone on in another one. A return from an error to the usual way is no fault.
    """
    if item.after.total == 0 or item.before.total == 0 or _recovers(item):
        return 0.0
    windows = [window for window in item.windows if window.total >= p.flow_min_window] or [item.before]
    clean = min(windows, key=lambda window: (window.instead / window.total, -window.total))
    if _is_bad(item, p):
        novelty = 1 - clean.instead / clean.total
        shift = max(_shift(item.before, item.after), _shift(clean, item.after))
    else:
        novelty = max(0.0, 1 - item.before.instead / item.before.total / p.flow_known_share)
        shift = _shift(item.before, item.after)
    return novelty * min(1.0, max(0.0, shift - p.flow_shift_floor) / p.flow_shift_full)


def _shift(before: Followed, after: Followed) -> float:
    gained = log_odds_shift((before.instead, before.total), (after.instead, after.total))
    lost = log_odds_shift((before.total - before.usual, before.total), (after.total - after.usual, after.total))
    return max(gained, lost)


def _is_bad(item: FlowEvidence, p: Parameters) -> bool:
    """Return whether what came instead is a warning, an early end, or a call left out that is usually made."""
    if item.instead in _ENDS:
        return item.source == "logs" or item.before.usual >= p.flow_usual_share * item.before.total
    return item.severity >= _WARN


def _recovers(item: FlowEvidence) -> bool:
    """Return whether the usual way took the place of a warning or of an early end: the trouble was before."""
    if item.source == "spans":
        return False
    early_end = item.usual in _ENDS and item.severity < _WARN
    return early_end or item.usual_severity >= _WARN > item.severity


def find_changed_flows(view: View) -> Iterator[Finding]:
    """Yield for each service the flow that changed most, less what a changed callee accounts for.

    Errors of a service whose calls fail or time out through a callee's fault are that callee's in full.
    """
    p = view.parameters
    best: dict[str, tuple[float, FlowEvidence]] = {}
    for item in view.flows:
        strength = flow_strength(item, p)
        known = best.get(item.service)
        # What the code wrote names the place; the calls that are missed then are its effect.
        rank = (strength, item.source == "logs")
        if strength and (known is None or rank > (known[0], known[1].source == "logs")):
            best[item.service] = (strength, item)
    for service, (strength, item) in best.items():
        below = max((best[callee][0] for callee in view.callees(service) if callee in best), default=0.0)
        if item.source == "status" and worst_edge(view, service) is not None:
            below = 1.0
        left = strength * (1 - p.flow_passed_on * below)
        yield effect(service, item.operation, _kind(view, item), p.w_flow * left, flow_text(item), item.id)


def _kind(view: View, item: FlowEvidence) -> CauseKind:
    """Return the kind of a flow; a deploy is blamed for exceptions that came with it only."""
    kind = flow_kind(item, view.parameters)
    new = kind is CauseKind.EXCEPTION and item.before.instead == 0
    return CauseKind.BAD_DEPLOY if new and view.recent_change(item.service) else kind


def flow_kind(item: FlowEvidence, p: Parameters) -> CauseKind:
    """Return EXCEPTION when the operation breaks off more often, MISSING_WORK when it takes another way."""
    if item.source == "status":
        return CauseKind.EXCEPTION
    broken_off = item.after.last / item.after.total - item.before.last / item.before.total
    return CauseKind.EXCEPTION if broken_off >= p.flow_broken_off else CauseKind.MISSING_WORK


def region(item: FlowEvidence) -> str:
    """Return the code region: the step and what usually follows it, such as `A.java#31_A.java#34`."""
    step = f"{item.step[1:]} start" if item.step.startswith("^") else item.step
    return f"{step}_{item.usual or item.instead}"


def flow_text(item: FlowEvidence) -> str:
    """Return the finding in words and numbers."""
    where = f"{item.service} {words.short(item.operation)}"
    was, now = item.before, item.after
    if item.source == "status":
        return (
            f"{where}: {now.instead} of {now.total} spans fail while nothing that they call does, "
            f"{was.instead} of {was.total} before"
        )
    if item.source == "spans":
        call = words.short(item.usual or item.instead)
        made_was, made_now = (was.usual, now.usual) if item.usual else (was.instead, now.instead)
        return (
            f"{where} calls {call} in {words.percent(made_now / now.total)} of {now.total} requests, "
            f"{words.percent(made_was / was.total)} of {was.total} before"
        )
    instead = "it ends" if item.instead in _ENDS else f"{words.short(item.instead)} follows"
    step = f"its start ({words.short(item.step[1:])})" if item.step.startswith("^") else words.short(item.step)
    return (
        f"{where}: after {step} {instead} in {words.percent(now.instead / now.total)} of {now.total} cases "
        f"({words.percent(was.instead / was.total)} of {was.total} before); {words.short(item.usual)} followed in "
        f"{words.percent(was.usual / was.total)} before, now in {words.percent(now.usual / now.total)}"
    )

"""Time and flow evidence: how the services near a fault do their work, against the minutes before."""

from collections.abc import Sequence

from telemetry.evidence.scope import Scope
from telemetry.profile.compared import Compared, compared
from telemetry.profile.window import Profile
from telemetry.state import TelemetryState
from telemetry.steps import Steps

_NORMAL_MIN = 20
"""Traces of a normal window; minutes with fewer are taken together."""
_FAULT_MIN = 5
"""Traces of the fault (detector D1: fewer events are never judged)."""
NOTHING = Compared([], [], [])


def work(state: TelemetryState, scope: Scope) -> Steps[Compared]:
    """Return how the work of the services near the fault changed; nothing without traces enough on both sides."""
    where = (scope.tenant, scope.environment)
    fault = Profile.merged(state.profiles(*where, *scope.fault_s), scope.near)  # no pause between: they are live
    yield
    normal = windows(state.profiles(*where, *scope.normal_s))
    yield
    if fault.traces < _FAULT_MIN or not normal:
        return NOTHING
    return compared(normal, fault, scope.near)


def windows(minutes: Sequence[Profile], least: int = _NORMAL_MIN) -> list[Profile]:
    """Return windows of at least `least` traces from minutes in their order; empty when there are not so many."""
    found: list[list[Profile]] = []
    traces = least
    for minute in minutes:
        if traces >= least:
            found.append([])
            traces = 0
        found[-1].append(minute)
        traces += minute.traces
    if found and traces < least:
        rest = found.pop()
        if not found:
            return []
        found[-1] += rest
    return [parts[0] if len(parts) == 1 else Profile.merged(parts) for parts in found]

"""The shared cause that tells nothing itself: a database, queue or other callee without telemetry of its own."""

from collections.abc import Collection, Iterable

from telemetry.detect import DetectConfig, Finding
from telemetry.detect.windows import Rule, Window, is_bad
from telemetry.graph import Graph
from telemetry.model import RedSummary, SeriesKey
from telemetry.root import deepest, voters
from telemetry.state import TelemetryState

CALLS = "calls"
"""The operation under which the calls to such a node are told: it has no series."""

_CALLERS_MIN = 2
_RULE = Rule((1, 1), p95_must_move=False)


def shared_callee(
    state: TelemetryState, findings: Iterable[Finding], onset_s: int, now_s: int, config: DetectConfig
) -> SeriesKey | None:
    """Return the silent node from which a disturbance of several services probably comes, None without one.

    Every deepest disturbed service must call it, at least two disturbed services must, and each of these calls must
    have got worse since the onset, as the callers saw it: failing more often than before by the rule for a bad window
    of D1, or with a p95 that rose as D2 demands. One service alone may itself be what is wrong with its calls. Of
    several nodes that fit, the one whose calls fail most counts, then the first by name.
    """
    voting = voters(findings)
    if not voting:
        return None
    tenant, environment = voting[0].key.tenant, voting[0].key.environment
    services = {finding.key.service for finding in voting}
    edges = state.edges(tenant, environment)
    front = deepest(services, Graph(edges), config.group_hops)
    telling = {key.service for key in state.keys()}  # noqa: SIM118 # not a dict
    worse: dict[str, dict[str, float]] = {}
    for edge in edges:
        if edge.caller in services and edge.callee not in telling:
            before = state.edge_red(edge, onset_s - config.normal_s, onset_s)
            after = state.edge_red(edge, onset_s, now_s)
            if _got_worse(before, after, config):
                worse.setdefault(edge.callee, {})[edge.caller] = after.errors / after.requests
    fitting = {node: callers for node, callers in worse.items() if _explains(callers, front)}
    if not fitting:
        return None
    root = min(fitting, key=lambda node: (-sum(fitting[node].values()) / len(fitting[node]), node))
    return SeriesKey(tenant=tenant, environment=environment, service=root, operation=CALLS)


def _explains(callers: Collection[str], front: Iterable[str]) -> bool:
    return len(callers) >= _CALLERS_MIN and set(front) <= set(callers)


def _got_worse(before: RedSummary, after: RedSummary, config: DetectConfig) -> bool:
    if after.requests < config.healthy_requests_min:
        return False
    normal = before.errors / before.requests if before.requests else 0.0
    p0 = min(0.9, max(config.error_ratio_floor, normal))
    if is_bad(Window(after.requests, after.errors, 0), p0, _RULE, config):
        return True
    if before.p95_ms is None or after.p95_ms is None:
        return False
    return after.p95_ms >= max(config.p95_factor * before.p95_ms, before.p95_ms + config.p95_step_ms)

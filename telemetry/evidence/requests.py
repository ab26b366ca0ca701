"""RED and edge evidence: how requests and calls went before and during the fault."""

from collections.abc import Iterator

from telemetry.detect.finding import at
from telemetry.evidence.scope import Scope
from telemetry.model import EdgeEvidence, RedEvidence, RedPoint, SeriesKey
from telemetry.state import Cell, TelemetryState

_BEFORE_S = 60
_DURING_S = 300
_DRAFT = "E0"


def reds(state: TelemetryState, scope: Scope) -> Iterator[RedEvidence]:
    """Yield one item for every series near the fault that had requests, broken ones and the root's first."""
    where = (scope.tenant, scope.environment)
    keys = [k for k in tuple(state.keys()) if (k.tenant, k.environment) == where and k.service in scope.near]
    keys.sort(key=lambda k: (k not in scope.broken, scope.closeness(k.service), k.service, k.operation))
    items = (_red(state, scope, key) for key in keys)
    return (item for item in items if item.before.requests or item.after.requests)


def _red(state: TelemetryState, scope: Scope, key: SeriesKey) -> RedEvidence:
    start_s = max(scope.normal_s[0], scope.fault_s[0] - _BEFORE_S)
    end_s = min(scope.fault_s[1], scope.fault_s[0] + _DURING_S)
    return RedEvidence(
        id=_DRAFT,
        service=key.service,
        operation=key.operation,
        before=state.red(key, *scope.normal_s),
        after=state.red(key, *scope.fault_s),
        series=tuple(_point(cell) for cell in state.cells(key, start_s, end_s)),
    )


def _point(cell: Cell) -> RedPoint:
    return RedPoint(
        at=at(cell.start_s),
        requests=cell.requests,
        errors=cell.errors,
        p50_ms=_rounded(cell.sketch.quantile(0.5)),
        p95_ms=_rounded(cell.sketch.quantile(0.95)),
        p99_ms=_rounded(cell.sketch.quantile(0.99)),
    )


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 2)


def edges(state: TelemetryState, scope: Scope) -> Iterator[EdgeEvidence]:
    """Yield one item for every edge between nodes near the fault that saw calls, the root's first."""
    found = [e for e in state.edges(scope.tenant, scope.environment) if {e.caller, e.callee} <= scope.near]
    found.sort(key=lambda e: (_edge_rank(scope, e.caller, e.callee), e.caller, e.callee))
    items = (
        EdgeEvidence(
            id=_DRAFT,
            caller=edge.caller,
            callee=edge.callee,
            before=state.edge_red(edge, *scope.normal_s),
            after=state.edge_red(edge, *scope.fault_s),
        )
        for edge in found
    )
    return (item for item in items if item.before.requests or item.after.requests)


def _edge_rank(scope: Scope, caller: str, callee: str) -> int:
    return scope.closeness(caller) + scope.closeness(callee)

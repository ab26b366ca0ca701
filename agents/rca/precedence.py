"""Which finding names the kind of fault: a cause that was seen directly comes before what it does to the work.

A full pool shows itself as calls that fail or are made no longer, a service without CPU as slow ways to it, an
exception as work that is missing after it. Flows and times tell best *where* something is wrong, and name the kind only
where nothing more direct does. Otherwise they speak for the service as symptoms.
"""

from dataclasses import replace

from agents.diagnosis import CauseKind
from agents.rca.finding import Finding
from agents.rca.parameters import Parameters

_EXPLAINS_FLOWS = frozenset(
    {
        CauseKind.DB_POOL_EXHAUSTION,
        CauseKind.MEMORY_SATURATION,
        CauseKind.CPU_CONTENTION,
        CauseKind.DEPENDENCY_DOWN,
        CauseKind.BAD_DEPLOY,
        CauseKind.EXCEPTION,
    }
)
_EXPLAINS_TIMES = _EXPLAINS_FLOWS | {CauseKind.LATENCY_REGRESSION}
"""A service that works slowly lets its callers wait; that it is slow explains no work left undone."""
_TIMES = frozenset({CauseKind.NETWORK_DELAY, CauseKind.LATENCY_REGRESSION})


def by_precedence(findings: list[Finding], parameters: Parameters) -> list[Finding]:
    """Return the findings of one service, effects without their kind where a direct cause explains them.

    A cause counts from `cause_floor` on, all that speaks for its kind taken together by noisy-or.
    """
    missing: dict[CauseKind, float] = {}
    for found in findings:
        if found.kind is not None and not found.effect:
            missing[found.kind] = missing.get(found.kind, 1.0) * (1 - found.weight)
    seen = {kind for kind, left in missing.items() if 1 - left >= parameters.cause_floor}

    def settled(found: Finding) -> Finding:
        explaining = _EXPLAINS_TIMES if found.kind in _TIMES else _EXPLAINS_FLOWS
        return replace(found, kind=None) if found.effect and seen & explaining else found

    return [settled(found) for found in findings]

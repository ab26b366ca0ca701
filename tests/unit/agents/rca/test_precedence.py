"""Which finding names the kind: causes that were seen directly come before what they do to the work."""

import pytest

from agents.diagnosis import CauseKind
from agents.rca import rank
from agents.rca.finding import effect, finding
from agents.rca.parameters import DEFAULTS
from agents.rca.precedence import by_precedence
from agents.testing.scenarios import QUOTE, bad_deploy, latency_spike, pool_exhaustion
from telemetry.model import EvidenceBundle, FlowEvidence, Followed, TimeEvidence, Times


def followed(usual: int, instead: int) -> Followed:
    """Return counts of the usual way and the other one."""
    return Followed(usual=usual, instead=instead, total=usual + instead)


def failing(service: str, number: int) -> FlowEvidence:
    """Return spans of a service that fail now while nothing that they call does."""
    return FlowEvidence(
        id=f"E{number}",
        source="status",
        service=service,
        operation=QUOTE,
        step=QUOTE,
        usual="OK",
        instead="ERROR",
        severity=17,
        before=followed(3600, 0),
        after=followed(200, 180),
        windows=(followed(360, 0),) * 10,
    )


def left_out(service: str, number: int) -> FlowEvidence:
    """Return a call that a service makes no longer."""
    return FlowEvidence(
        id=f"E{number}",
        source="spans",
        service=service,
        operation=QUOTE,
        step=QUOTE,
        usual="GET /price/{sku}",
        instead="",
        callee="pricing",
        before=followed(3600, 0),
        after=followed(200, 180),
        windows=(followed(360, 0),) * 10,
    )


def slow_way(caller: str, service: str, number: int) -> TimeEvidence:
    """Return calls that wait before their callee begins."""
    before, after = (Times(count=300, p50_ms=ms, p75_ms=ms, p90_ms=ms) for ms in (3, 400))
    where = {"measure": "way", "caller": caller, "service": service, "operation": "GET /price/{sku}"}
    return TimeEvidence(id=f"E{number}", before=before, after=after, windows=(before,) * 5, **where)


def with_effects(bundle: EvidenceBundle, *services: str) -> EvidenceBundle:
    """Return the bundle with work that fails and is left out in some services."""
    effects = [make(service, 100 + n) for n, service in enumerate(services) for make in (failing, left_out)]
    numbered = [item.model_copy(update={"id": f"E{100 + n}"}) for n, item in enumerate(effects)]
    return bundle.model_copy(update={"items": (*bundle.items, *numbered)})


def test_a_full_pool_is_named_although_its_calls_fail_and_are_left_out():
    """The flow speaks for the service as a claim, and the kind is that of the cause."""
    best = rank(with_effects(pool_exhaustion(), "quote"))[0]
    assert (best.service, best.kind) == ("quote", CauseKind.DB_POOL_EXHAUSTION)
    assert {"E100", "E101"} & {name for claim in best.speaks_for for name in claim.evidence}


def test_a_deploy_is_named_although_its_exception_leaves_work_undone():
    """So it is with an exception that came with a new version."""
    best = rank(with_effects(bad_deploy(), "quote"))[0]
    assert (best.service, best.kind) == ("quote", CauseKind.BAD_DEPLOY)


def test_errors_of_a_service_whose_callee_is_to_blame_are_the_callees():
    """Callers that time out fail in spans without a failing child; pricing is slow all the same."""
    bundle = with_effects(latency_spike(), "quote")
    slow = bundle.model_copy(update={"items": (*bundle.items, slow_way("quote", "pricing", 200))})
    best = rank(slow)[0]
    assert (best.service, best.kind) == ("pricing", CauseKind.LATENCY_REGRESSION)


@pytest.mark.parametrize(("weight", "kind"), [(0.39, CauseKind.MISSING_WORK), (0.41, None)])
def test_a_cause_counts_from_the_floor_on(weight, kind):
    """Something that is hardly there explains nothing."""
    cause = finding("quote", None, CauseKind.DB_POOL_EXHAUSTION, weight, "pool", "E1")
    seen = effect("quote", None, CauseKind.MISSING_WORK, 0.85, "flow", "E2")
    assert [found.kind for found in by_precedence([cause, seen], DEFAULTS)] == [cause.kind, kind]


def test_slowness_explains_waiting_but_no_work_left_undone():
    """A slow service lets its callers wait; a call that is left out is something else."""
    slow = finding("quote", None, CauseKind.LATENCY_REGRESSION, 0.6, "slow", "E1")
    way = effect("quote", None, CauseKind.NETWORK_DELAY, 0.8, "way", "E2")
    flow = effect("quote", None, CauseKind.MISSING_WORK, 0.85, "flow", "E3")
    found = by_precedence([slow, way, flow], DEFAULTS)
    assert [one.kind for one in found] == [slow.kind, None, CauseKind.MISSING_WORK]

"""Whom calls that got worse speak against, and how much of a caller's trouble its callees account for."""

import pytest

from agents.diagnosis import CauseKind
from agents.rca.finding import effect, finding
from agents.rca.parameters import DEFAULTS
from agents.rca.precedence import by_precedence
from agents.rca.propagation import callee_is_bad, explained, is_changed, is_worse, latency_strength, worst_edge
from agents.testing.builders import bundle, edge, red, summary
from agents.testing.observe import failing, slower, view
from telemetry.model import Evidence, RedSummary

Change = tuple[RedSummary, RedSummary]
WELL, FAILS, SLOW, GONE = failing(0.0), failing(0.5), slower(2000), (summary(10_000, 0, 100), summary(0))
BOTH = (summary(10_000, 0, 1000), summary(10_000, 5_000, 2000))


def changes(*operations: Change, service: str = "s") -> list[Evidence]:
    """Return what a service reports of its operations."""
    return [red(service, f"op{number}", *change) for number, change in enumerate(operations)]


@pytest.mark.parametrize(
    ("operations", "changed"),
    [([], False), ([WELL], False), ([FAILS], True), ([SLOW], True), ([WELL, FAILS], True), ([WELL, SLOW], True)],
)
def test_a_service_has_changed_when_one_operation_fails_or_is_slow(operations, changed):
    """One of many is enough, in either way."""
    assert is_changed(view(DEFAULTS, *changes(*operations)), "s") is changed


@pytest.mark.parametrize(("change", "worse"), [(WELL, False), (FAILS, True), (SLOW, True), (BOTH, True)])
def test_calls_are_worse_when_they_fail_or_are_slow(change, worse):
    """As the caller sees them."""
    assert is_worse(view(DEFAULTS), edge("s", "d", *change)) is worse


@pytest.mark.parametrize(
    ("calls", "reports", "bad"),
    [
        pytest.param([("s", "d", FAILS)], [FAILS], True, id="calls fail and the callee reports errors"),
        pytest.param([("s", "d", SLOW)], [SLOW], True, id="calls are slow and so is the callee"),
        pytest.param([("s", "d", FAILS)], [GONE], True, id="calls fail and the callee is gone"),
        pytest.param([("s", "d", FAILS)], [], True, id="calls fail and the callee reports nothing"),
        pytest.param([("s", "d", FAILS)], [WELL], False, id="calls fail and the callee is well"),
        pytest.param([("s", "d", WELL)], [FAILS], False, id="calls are well"),
        pytest.param([("s", "d", WELL)], [], False, id="calls are well and the callee reports nothing"),
        pytest.param([], [FAILS], False, id="no calls"),
        pytest.param([("s", "e", FAILS)], [FAILS], False, id="calls to another callee fail"),
        pytest.param([("t", "d", FAILS)], [FAILS], False, id="calls of another caller fail"),
        pytest.param([("d", "d", FAILS)], [FAILS], False, id="calls to itself fail"),
    ],
)
def test_a_callee_is_bad_when_calls_to_it_are_worse_and_it_does_not_report_to_be_well(calls, reports, bad):
    """Both are needed."""
    edges = [edge(caller, callee, *change) for caller, callee, change in calls]
    caller = calls[0][0] if calls and calls[0][0] == "d" else "s"
    assert callee_is_bad(view(DEFAULTS, *edges, *changes(*reports, service="d")), caller, "d") is bad


def test_the_worst_call_is_the_slowest_and_then_the_one_that_fails_most():
    """Calls that are well, or whose callee is well, are none."""
    edges = [
        edge("s", "well", *WELL),
        edge("s", "some", *failing(0.3)),
        edge("s", "half", *FAILS),
        edge("s", "slow", *slower(1600)),
        edge("s", "slower", *SLOW),
        edge("s", "innocent", *slower(9000)),
    ]
    innocent = changes(WELL, service="innocent")
    assert worst_edge(view(DEFAULTS, *edges, *innocent), "s").callee == "slower"
    assert worst_edge(view(DEFAULTS, *edges[:3]), "s").callee == "half"
    assert worst_edge(view(DEFAULTS, edges[0], edges[5], *innocent), "s") is None


@pytest.mark.parametrize(
    ("after", "strength"), [(1499.0, 0.0), (1500.0, 0.5), (1999.0, 0.999), (2000.0, 1.0), (3000.0, 1.0)]
)
def test_a_latency_that_doubled_is_of_full_strength(after, strength):
    """Below the factor it is no change at all."""
    assert latency_strength(view(DEFAULTS), *slower(after)) == pytest.approx(strength)
    assert latency_strength(view(DEFAULTS), summary(10), summary(10, 0, 9000)) == 0.0


POOL = finding("s", None, CauseKind.DB_POOL_EXHAUSTION, 0.5, "pool", "E1")
OTHER = finding("s", None, CauseKind.EXCEPTION, 0.5, "error", "E1")


@pytest.mark.parametrize(
    ("own", "calls", "findings", "share"),
    [
        pytest.param([FAILS], [("d", FAILS)], [], 1.0, id="all errors"),
        pytest.param([FAILS], [("d", failing(0.25))], [], 0.5, id="half of the errors"),
        pytest.param([failing(0.25)], [("d", FAILS)], [], 1.0, id="no more than all errors"),
        pytest.param([SLOW], [("d", SLOW)], [], 1.0, id="all slowness"),
        pytest.param([SLOW], [("d", slower(1500))], [], 0.5, id="half of the slowness"),
        pytest.param([slower(1500)], [("d", SLOW)], [], 1.0, id="no more than all slowness"),
        pytest.param([BOTH], [("d", FAILS)], [], 0.5, id="the errors of two equal troubles"),
        pytest.param([BOTH], [("d", SLOW)], [], 0.5, id="the slowness of two equal troubles"),
        pytest.param([failing(0.1), FAILS], [("d", FAILS)], [], 1.0, id="the worst operation counts"),
        pytest.param([FAILS], [("d", failing(0.25)), ("e", failing(0.3))], [], 0.6, id="the worst callee counts"),
        pytest.param([FAILS, SLOW], [("d", FAILS)], [], 0.5, id="errors where another operation is slow"),
        pytest.param([FAILS, SLOW], [("d", SLOW)], [], 0.5, id="slowness where another operation fails"),
        pytest.param([FAILS], [("well", FAILS)], [], 0.0, id="a callee that reports to be well"),
        pytest.param([FAILS], [], [], 0.0, id="no calls"),
        pytest.param([FAILS], [("d", WELL)], [], 0.0, id="calls that are well"),
        pytest.param([FAILS], [("d", SLOW)], [], 0.0, id="calls that are slow, where only errors rose"),
        pytest.param([WELL], [("d", FAILS)], [], 0.0, id="a service that is well"),
        pytest.param([], [("d", FAILS)], [], 0.0, id="a service that reports nothing"),
        pytest.param([FAILS], [("d", FAILS)], [POOL], 0.0, id="a database behind an exhausted pool"),
        pytest.param([FAILS], [("d", FAILS)], [OTHER, POOL], 0.0, id="the pool is one finding of two"),
        pytest.param([FAILS], [("d", FAILS)], [OTHER], 1.0, id="a database without a pool"),
        pytest.param([FAILS], [("told", FAILS)], [POOL], 1.0, id="a service behind an exhausted pool"),
    ],
)
def test_a_callee_accounts_for_the_share_of_the_trouble_that_its_calls_show(own, calls, findings, share):
    """Errors and slowness are averaged by how strong they are; the claim cites the worst call."""
    edges = [edge("s", callee, *change) for callee, change in calls]
    told = [*changes(FAILS, service="told"), *changes(WELL, service="well")]
    found, claim = explained(view(DEFAULTS, *bundle(*edges, *changes(*own), *told).items), "s", findings)
    assert found == pytest.approx(share)
    assert (claim is None) is (share == 0)
    assert claim is None or f"s calls {calls[-1][0]}, and those calls got worse" in claim.text


FLOW = effect("s", None, CauseKind.MISSING_WORK, 0.85, "flow", "E9")


@pytest.mark.parametrize(
    ("causes", "kept"),
    [
        pytest.param([], True, id="no cause"),
        pytest.param([POOL], False, id="a cause"),
        pytest.param([finding("s", None, None, 0.9, "symptom", "E1")], True, id="a symptom is no cause"),
        pytest.param([effect("s", None, CauseKind.EXCEPTION, 0.9, "x", "E1")], True, id="an effect is no cause"),
        pytest.param(
            [finding("s", None, CauseKind.EXCEPTION, w, "x", "E1") for w in (0.2, 0.26)], False, id="two add up"
        ),
        pytest.param(
            [finding("s", None, kind, 0.3, "x", "E1") for kind in (CauseKind.EXCEPTION, CauseKind.BAD_DEPLOY)],
            True,
            id="two kinds do not add up",
        ),
    ],
)
def test_an_effect_keeps_its_kind_unless_causes_of_one_kind_explain_it(causes, kept):
    """Causes of one kind count together, from the floor on."""
    settled = by_precedence([*causes, FLOW], DEFAULTS)
    assert settled[:-1] == causes
    assert settled[-1].kind is (CauseKind.MISSING_WORK if kept else None)

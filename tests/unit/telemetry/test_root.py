"""The root candidate and the severity of a group."""

import pytest

from telemetry.detect import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.graph import Graph
from telemetry.model import AnomalyState, Detector, SeriesKey, Severity
from telemetry.root import group_severity, root_candidate
from telemetry.state import Edge

CHAIN = Graph([Edge("gateway", "quote", "service"), Edge("quote", "pricing", "service")])
KNOWN = ("gateway", "quote", "pricing", "cart", "mail")
STAR = Graph([Edge("gateway", "quote", "service"), Edge("gateway", "cart", "service")])


def found(
    service: str,
    detector: Detector = Detector.ERRORS,
    *,
    onset_s: int = 100,
    state: AnomalyState = AnomalyState.CONFIRMED,
    bad_now: bool = True,
    severity: Severity = Severity.CRITICAL,
) -> Finding:
    """Return a finding on a service's one operation."""
    return Finding(
        id=f"a-{service}-{detector}",
        key=SeriesKey(service=service, operation=f"GET /{service}"),
        detector=detector,
        state=state,
        onset_s=onset_s,
        confirmed_s=None if state is AnomalyState.SUSPECT else onset_s + 20,
        closed_s=onset_s + 400 if state is AnomalyState.CLOSED else None,
        last_bad_s=onset_s + 20,
        bad_now=bad_now,
        severity=severity,
        reason="",
    )


def root(findings: list[Finding], graph: Graph = CHAIN, leaves: dict[str, int] | None = None) -> str | None:
    """Return the root's service."""
    key = root_candidate(findings, graph, leaves or {}, 2)
    return key.service if key else None


def test_slow_callee_is_the_root_of_callers_that_give_up():
    """Time-outs make error leaves in the caller; the slow service below is still the cause."""
    slow = found("pricing", Detector.LATENCY, onset_s=105)
    assert root([found("gateway"), found("quote"), slow], leaves={"quote": 500}) == "pricing"


def test_failing_service_without_failing_callees_is_the_root():
    """The deepest disturbed service is that whose callees are well."""
    assert root([found("gateway"), found("quote")]) == "quote"


def test_depth_counts_across_a_service_that_is_well():
    """Two hops: the service between them need not be disturbed."""
    assert root([found("gateway", onset_s=90), found("pricing")]) == "pricing"


def test_saturated_service_wins_over_its_equal():
    """Of two callees the one with a full pool comes first, whatever the leaves say."""
    pool = found("cart", Detector.SATURATION)
    findings = [found("gateway"), found("quote", onset_s=90), found("cart"), pool]
    assert root(findings, STAR, {"quote": 500}) == "cart"


def test_share_of_error_leaves_decides_then_onset_then_name():
    """The rest of the order."""
    assert root([found("quote", onset_s=90), found("cart")], STAR, {"cart": 9, "quote": 1}) == "cart"
    assert root([found("quote", onset_s=90), found("cart")], STAR) == "quote"
    assert root([found("quote"), found("cart")], STAR) == "cart"


def test_suspicion_counts_only_while_its_newest_window_is_bad():
    """A transient next door that is over does not become the root."""
    over = found("pricing", Detector.LATENCY, state=AnomalyState.SUSPECT, bad_now=False)
    lasting = found("pricing", Detector.LATENCY, state=AnomalyState.SUSPECT)
    assert root([found("quote"), over]) == "quote"
    assert root([found("quote"), lasting]) == "pricing"


def test_new_signature_alone_makes_no_root():
    """A callee with a new error but without a failing or slow series is not blamed."""
    assert root([found("quote"), found("pricing", Detector.NEW_SIGNATURE)]) == "quote"


def test_services_that_call_each_other_still_have_a_root():
    """A cycle has no deepest service; the earliest onset decides."""
    cycle = Graph([Edge("a", "b", "service"), Edge("b", "a", "service")])
    assert root([found("a", onset_s=110), found("b", onset_s=100)], cycle) == "b"


def test_root_operation_is_that_of_the_requests():
    """A pool has no operation of its own."""
    pool = found("quote", Detector.SATURATION, onset_s=50)
    key = root_candidate([pool, found("quote")], CHAIN, {}, 2)
    assert key is not None
    assert key.operation == "GET /quote"


def test_nothing_found_has_no_root():
    """Nothing is nothing."""
    assert root([]) is None


@pytest.mark.parametrize(("services", "severity"), [(["gateway"], Severity.CRITICAL), (["pricing"], Severity.HIGH)])
def test_severity_is_a_step_lower_while_no_entry_service_is_disturbed(services: list[str], severity: Severity):
    """Users do not see it yet."""
    assert group_severity([found(service) for service in services], CHAIN, KNOWN, DetectConfig()) is severity


def test_severity_is_a_step_higher_when_half_of_all_services_are_disturbed():
    """Three of five are a wide blast radius, three of seven are not."""
    hit = [found(service, severity=Severity.MEDIUM) for service in ("gateway", "quote", "pricing")]
    assert group_severity(hit, CHAIN, KNOWN, DetectConfig()) is Severity.HIGH
    assert group_severity(hit, CHAIN, (*KNOWN, "a", "b"), DetectConfig()) is Severity.MEDIUM


def test_severity_of_a_burning_budget_is_not_lowered():
    """Whoever declared an objective for an inner service means it."""
    burning = found("pricing", Detector.BURN_RATE, severity=Severity.HIGH)
    assert group_severity([burning], CHAIN, KNOWN, DetectConfig()) is Severity.HIGH


def test_traffic_that_stays_away_comes_from_the_caller():
    """When gateway sends less, what it calls gets less; next to an error, traffic makes no candidate."""
    drops = [found(service, Detector.TRAFFIC) for service in ("gateway", "quote", "pricing")]
    assert root(drops) == "gateway"
    assert root([*drops, found("quote")]) == "quote"

"""The conditions and the remaining numbers of the finders: what is evidence, and what is not yet."""

from datetime import timedelta

import pytest

from agents.diagnosis import CauseKind
from agents.rca.errors import MIN_HITS, find_errors, find_leaves, grown
from agents.rca.flows import find_changed_flows, flow_strength
from agents.rca.gauges import find_busy_cpus, find_moved_gauges
from agents.rca.parameters import DEFAULTS
from agents.rca.resources import MIN_REQUESTS, demand, find_full_machines, find_full_pools
from agents.rca.symptoms import EXPLAINED_SHARE, find_network_gaps, find_own_slowness, find_silent_callees
from agents.rca.times import find_own_time, find_slow_ways
from agents.testing.builders import ONSET, bundle, edge, metric, red, span, summary, trace, version
from agents.testing.observe import STEADY, failing, signature, slower, view, weight
from agents.testing.observe_flows import flow, gauge, took
from telemetry.model import RedPoint


def kinds(finder, *items):
    """Return service and kind of each finding."""
    return [(found.service, found.kind) for found in finder(view(DEFAULTS, *items))]


@pytest.mark.parametrize(
    ("count", "before", "new", "has_grown"),
    [
        (MIN_HITS - 1, 0, True, False),
        (MIN_HITS, 0, True, True),
        (MIN_HITS, 0, False, True),
        (MIN_HITS, 300, True, True),
        (MIN_HITS, 300, False, False),
        (MIN_HITS, 1, False, True),
        (MIN_HITS - 1, 1, False, False),
    ],
)
def test_a_signature_needs_three_hits_and_to_be_new_or_more_than_before(count, before, new, has_grown):
    """Each of the three ways to have grown is enough."""
    assert MIN_HITS == 3
    assert grown(signature(count, count_before=before, is_new=new), view(DEFAULTS)) is has_grown


@pytest.mark.parametrize(("items", "share"), [([], 0.5), ([STEADY], 0.25), ([red("s", "op", *failing(0.0))], 0.5)])
def test_without_known_failures_an_error_counts_by_half(items, share):
    """There is nothing that it could be a share of."""
    assert weight(find_errors, DEFAULTS, *items, signature(250)) == 0.6 * share


@pytest.mark.parametrize(
    ("new", "before", "deployed", "kind"),
    [
        (True, 0, True, CauseKind.BAD_DEPLOY),
        (True, 5, True, CauseKind.BAD_DEPLOY),
        (False, 0, True, CauseKind.BAD_DEPLOY),
        (False, 5, True, CauseKind.EXCEPTION),
        (True, 0, False, CauseKind.EXCEPTION),
    ],
)
def test_a_deploy_is_blamed_for_errors_that_came_with_it(new, before, deployed, kind):
    """They are new, or never came before, and there was a deploy."""
    changed = [version("s", "a" * 40, "b" * 40)] if deployed else []
    found = kinds(find_errors, signature(500, count_before=before, is_new=new), *changed)
    assert found == [("s", kind)]


def test_a_status_code_is_a_failure_of_its_own_only_where_no_callee_is_to_blame():
    """A service that passes errors on has no fault of its own."""
    status = signature(500, "500", "")
    assert kinds(find_errors, status) == [("s", CauseKind.EXCEPTION)]
    assert kinds(find_errors, status, edge("s", "d", *failing(0.0))) == [("s", CauseKind.EXCEPTION)]
    assert kinds(find_errors, status, edge("s", "d", *failing(0.5))) == []


@pytest.mark.parametrize(
    ("kind", "callee_fails", "owner"), [("client", True, "d"), ("client", False, "s"), ("server", True, "s")]
)
def test_an_error_trace_ends_in_the_callee_of_a_failed_call_where_that_one_is_bad(kind, callee_fails, owner):
    """A callee that is well is not where it ends."""
    spans = (
        span(1, None, "s", "op", "server", 9, 1, error=""),
        span(2, 1, "s", "call", kind, 8, 1, error="timeout"),
        span(3, 2, "d", "op", "server", 7, 7),
    )
    reports = red("d", "op", *failing(0.5 if callee_fails else 0.0))
    assert kinds(find_leaves, trace("error", *spans), edge("s", "d", *failing(0.5)), reports) == [(owner, None)]
    assert kinds(find_leaves, trace("slow", *spans)) == []


@pytest.mark.parametrize(("requests", "needed"), [(MIN_REQUESTS - 1, 2.0), (MIN_REQUESTS, 4.0)])
def test_a_tick_of_twenty_requests_tells_which_part_is_served(requests, needed):
    """A tick with fewer says too little."""
    used = metric("s", "db.client.connection.count", 0, 2, limit=2)
    tick = RedPoint(at=ONSET, requests=requests * 2, errors=requests)
    served = [
        tick.model_copy(update={"requests": requests, "errors": requests // 2}),
        RedPoint(at=ONSET + timedelta(seconds=5), requests=100, errors=0),
    ]
    item = red("s", "op", *failing(0.0)).model_copy(update={"series": tuple(served)})
    assert MIN_REQUESTS == 20
    assert demand(bundle(used, item), "s")[0] == pytest.approx(needed)


@pytest.mark.parametrize(
    ("before", "after", "waits"), [(0, 0, False), (None, 1, True), (4, 8, False), (4, 9, True), (0, 1, True)]
)
def test_requests_that_wait_are_evidence_when_they_more_than_doubled(before, after, waits):
    """None before and one now is enough."""
    item = metric("s", "db.client.connection.pending_requests", before, after)
    assert bool(kinds(find_full_pools, item)) is waits


@pytest.mark.parametrize(
    ("before", "after", "limit", "full"),
    [
        (0, 9, 10, True),
        (None, 9, 10, True),
        (8.9, 9, 10, True),
        (9, 9, 10, False),
        (0, 8.9, 10, False),
        (0, 9, None, False),
    ],
)
def test_a_limit_is_reached_that_was_not_before(before, after, limit, full):
    """Pools and memory alike; without a limit nothing is full."""
    assert bool(kinds(find_full_pools, metric("s", "db.client.connection.count", before, after, limit=limit))) is full
    assert bool(kinds(find_full_machines, metric("s", "process.memory.usage", before, after, limit=limit))) is full


@pytest.mark.parametrize(
    ("name", "limit", "kind"),
    [
        ("process.memory.usage", 10.0, CauseKind.MEMORY_SATURATION),
        ("process.cpu.usage", 10.0, CauseKind.CPU_CONTENTION),
        ("process.memory.utilization", None, CauseKind.MEMORY_SATURATION),
        ("process.cpu.utilization", None, CauseKind.CPU_CONTENTION),
        ("queue.length", 10.0, None),
        ("db.client.connection.count", 10.0, None),
        ("process.memory.usage", None, None),
    ],
)
def test_memory_and_cpu_at_their_limits_are_causes(name, limit, kind):
    """A utilization has the limit 1 by definition; pools have a finder of their own."""
    assert kinds(find_full_machines, metric("s", name, 0.1, 10, limit=limit)) == ([("s", kind)] if kind else [])


@pytest.mark.parametrize(("below", "own"), [(1399.0, True), (1400.0, False)])
def test_slowness_is_ones_own_while_no_callee_accounts_for_half_of_it(below, own):
    """The service became slower by 1,000 ms, its callee by 499 or by 500."""
    assert EXPLAINED_SHARE == 0.5
    called = edge("s", "d", *slower(below, 900.0))
    assert bool(kinds(find_own_slowness, red("s", "op", *slower(2000)), called)) is own


@pytest.mark.parametrize(
    ("gaps", "blamed"),
    [
        ([("c", "s")], ["s"]),
        ([("c", "s"), ("c", "t")], ["c", "c"]),
        ([("c", "s"), ("d", "s")], ["s", "s"]),
        ([("c", "s"), ("c", "t"), ("d", "s")], ["s", "c", "s"]),
    ],
)
def test_of_several_slow_ways_the_end_is_meant_that_most_of_them_share(gaps, blamed):
    """With one way, or with as many on both ends, it is the callee."""
    callees = [red(name, "op", *failing(0.0)) for name in ("s", "t")]
    assert [
        name for name, _ in kinds(find_network_gaps, *(edge(*gap, *slower(2000)) for gap in gaps), *callees)
    ] == blamed


@pytest.mark.parametrize(
    ("change", "reports", "expected"),
    [
        (failing(0.5), None, [CauseKind.DEPENDENCY_DOWN]),
        (slower(2000), None, [CauseKind.LATENCY_REGRESSION]),
        (failing(0.0), None, []),
        (failing(0.5), summary(0), [CauseKind.DEPENDENCY_DOWN]),
        (failing(0.5), summary(10_000), []),
        (slower(2000), summary(0), []),
    ],
)
def test_a_callee_is_down_that_is_gone_or_sends_nothing_while_calls_to_it_fail(change, reports, expected):
    """One that still serves is not."""
    items = [] if reports is None else [red("s", "op", summary(10_000), reports)]
    assert kinds(find_silent_callees, edge("c", "s", *change), *items) == [("s", kind) for kind in expected]


@pytest.mark.parametrize(("severity", "bad"), [(12, False), (13, True)])
def test_a_warning_that_was_there_before_counts_by_the_window_that_knew_it_least(severity, bad):
    """13 is OTLP's WARN; below, a way that 40 % took before is no news."""
    assert flow_strength(flow("s", (400, 1000), (1000, 1000), severity=severity), DEFAULTS) == (0.6 if bad else 0.0)


@pytest.mark.parametrize(
    ("severity", "usual_severity", "usual", "source", "recovers"),
    [
        (12, 13, "A#2", "logs", True),
        (12, 12, "A#2", "logs", False),
        (13, 13, "A#2", "logs", False),
        (12, 0, "$", "logs", True),
        (13, 0, "$", "logs", False),
        (12, 13, "A#2", "spans", False),
    ],
)
def test_a_return_from_a_warning_or_an_early_end_is_a_recovery(severity, usual_severity, usual, source, recovers):
    """Only of log sites, and only to what is no warning itself."""
    more = {"severity": severity, "usual_severity": usual_severity, "usual": usual, "source": source}
    assert (flow_strength(flow("s", (0, 1000), (1000, 1000), **more), DEFAULTS) == 0.0) is recovers


@pytest.mark.parametrize(("before", "after"), [((0, 0), (5, 5)), ((0, 5), (0, 0))])
def test_a_flow_that_was_not_seen_before_or_is_not_seen_now_is_no_change(before, after):
    """There is nothing to compare."""
    assert flow_strength(flow("s", before, after), DEFAULTS) == 0.0


def test_the_strongest_flow_of_a_service_is_told_and_of_equal_ones_that_of_its_logs():
    """Log sites name the place."""
    spans = flow("s", (0, 1000), (1000, 1000), source="spans", operation="spans")
    logs = flow("s", (0, 1000), (1000, 1000), operation="logs")
    weak = flow("s", (0, 1000), (40, 1000), operation="weak")
    for items in ([spans, logs, weak], [weak, logs, spans]):
        (found,) = find_changed_flows(view(DEFAULTS, *items))
        assert found.operation == "logs"


@pytest.mark.parametrize(
    ("name", "counts"),
    [("cpu.utilization", True), ("cpu.usage", False), ("mem.utilization", False), ("node.cpu.utilization", False)],
)
def test_only_the_cpu_utilization_of_the_service_itself_is_its_cpu(name, counts):
    """Gauges of the machine tell no service, and without a score nothing is known of normal."""
    assert bool(kinds(find_busy_cpus, gauge(name, 0.0, 1.0, 9.0))) is counts
    assert not kinds(find_busy_cpus, gauge(name, 0.0, 1.0, None))
    assert bool(kinds(find_moved_gauges, gauge(name, 0.0, 1.0, 9.0))) is not name.startswith("node")


def test_the_gauge_and_the_time_that_moved_most_are_told():
    """One finding for each service; a fall counts as much as a rise."""
    (found,) = find_moved_gauges(view(DEFAULTS, gauge("a", 0, 1, 3.0), gauge("b", 9, 1, -4.0), gauge("c", 0, 1, None)))
    assert found.claim.text.startswith("b of s went to 1, 9 before")
    (slow,) = find_own_time(view(DEFAULTS, took(40, 10, operation="x"), took(60, 10, operation="y"), took(11, 10)))
    assert slow.operation == "y"


def test_ways_that_are_as_fast_as_before_speak_for_nobody():
    """A way to a callee of a caller that is meant counts against the callee in part only."""
    assert kinds(find_slow_ways, took(10, 10, caller="c")) == []
    assert kinds(find_slow_ways, took(100, 10, caller="c")) == [("s", CauseKind.NETWORK_DELAY)]

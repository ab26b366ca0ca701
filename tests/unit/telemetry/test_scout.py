"""Scout over simulated services: real OTLP messages, real state, event time."""

from datetime import UTC, datetime

import pytest

from telemetry.model import (
    AnomalyState,
    Detector,
    EdgeEvidence,
    Health,
    MetricEvidence,
    RedEvidence,
    SeriesKey,
    Severity,
    Signal,
    SignatureEvidence,
    TraceEvidence,
    VersionEvidence,
)
from telemetry.steps import whole
from telemetry.testing import Chain, Fault

CALM = {"quote": Fault(pool_used=0)}
POOL = {"quote": Fault(error_ratio=0.6, error="sqlalchemy.exc.TimeoutError", extra_ms=300, pool_used=2, pool_pending=5)}
SLOW = {"pricing": Fault(extra_ms=1500), "quote": Fault(timeout_ms=800)}
FIXED = "b" * 40


def _time(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)


def _broken_pool() -> tuple[Chain, int]:
    """Return a chain 60 s after its pool ran dry, and when that was."""
    chain = Chain()
    chain.run(25, CALM)
    onset_s = chain.now_s
    chain.run(60, POOL)
    return chain, onset_s


@pytest.fixture(scope="module")
def broken() -> Chain:
    """Return a chain 60 s after its pool ran dry, for tests that only look at it."""
    return _broken_pool()[0]


def test_quiet_services_send_no_signal():
    """Ten minutes without a fault."""
    assert Chain().run(600) == []


def test_failing_service_sends_its_first_signal_within_35_seconds():
    """25 s of history at 12 rps are enough; the onset is exact to two ticks, the root is the service that fails."""
    chain, onset_s = _broken_pool()
    signal = chain.signals[0]
    assert signal.sequence == 1
    assert signal.root_service == "quote"
    assert signal.root_operation == "GET /quote"
    assert abs(signal.onset.timestamp() - onset_s) <= 10
    assert signal.detected.timestamp() - onset_s <= 35
    assert {anomaly.key.service for anomaly in signal.anomalies} == {"gateway", "quote"}


def test_cascade_of_a_pool_that_ran_dry_is_one_incident(broken: Chain):
    """Errors, latency, saturation and a new signature in two services have one group id and growing sequences."""
    assert len({signal.group_id for signal in broken.signals}) == 1
    assert [signal.sequence for signal in broken.signals] == list(range(1, len(broken.signals) + 1))
    last = broken.signals[-1]
    assert last.severity is Severity.CRITICAL
    found = {(anomaly.key.service, anomaly.detector) for anomaly in last.anomalies}
    assert found >= {
        ("quote", Detector.ERRORS),
        ("quote", Detector.LATENCY),
        ("quote", Detector.SATURATION),
        ("quote", Detector.NEW_SIGNATURE),
        ("gateway", Detector.ERRORS),
    }


@pytest.mark.parametrize("seed", range(3))
def test_slow_callee_is_named_not_the_callers_that_time_out(seed: int):
    """`pricing` is slow, `quote` gives up on it and `gateway` fails: one incident, rooted at `pricing`."""
    chain = Chain(seed=seed)
    chain.run(25)
    chain.run(60, SLOW)
    assert len({signal.group_id for signal in chain.signals}) == 1
    assert {signal.root_service for signal in chain.signals} == {"pricing"}


def test_anomalies_of_a_signal_are_series_whose_recovery_can_be_seen(broken: Chain):
    """A full pool is told under a series of its service that has requests."""
    known = set(broken.state.keys())
    assert {anomaly.key for anomaly in broken.signals[-1].anomalies} <= known


def test_evidence_holds_what_a_reader_needs():
    """Each kind of evidence, with the normal stretch before the onset and the fault after it."""
    chain = Chain()
    chain.run(120, CALM)
    chain.deploy("quote", "c" * 40)
    chain.run(10, CALM)
    onset_s = chain.now_s
    chain.run(60, POOL)
    bundle = chain.signals[-1].evidence
    assert bundle.normal.end == bundle.fault.start
    assert abs(bundle.fault.start.timestamp() - onset_s) <= 10
    red = next(item for item in bundle.items if isinstance(item, RedEvidence) and item.service == "quote")
    assert red.before.errors == 0
    assert red.after.errors > 0.4 * red.after.requests
    assert len(red.series) > 10
    edge = next(item for item in bundle.items if isinstance(item, EdgeEvidence) and item.callee == "quote")
    assert edge.caller == "gateway"
    assert edge.after.errors > 0
    trace = next(item for item in bundle.items if isinstance(item, TraceEvidence) and item.why == "error")
    assert {span.service for span in trace.spans} >= {"gateway", "quote"}
    signature = next(item for item in bundle.items if isinstance(item, SignatureEvidence) and item.service == "quote")
    assert (signature.error_type, signature.is_new, signature.count_before) == ("sqlalchemy.exc.TimeoutError", True, 0)
    assert signature.count > 100
    pool = next(item for item in bundle.items if isinstance(item, MetricEvidence) and item.limit is not None)
    assert (pool.service, pool.before, pool.after, pool.limit) == ("quote", 0, 2, 2)
    version = next(item for item in bundle.items if isinstance(item, VersionEvidence))
    assert (version.service, version.revision_before, version.revision_after) == ("quote", "a" * 40, "c" * 40)


def test_evidence_is_the_same_for_the_same_telemetry(broken: Chain):
    """Ids, order and content; ids count from E1."""
    first, second = broken.signals, _broken_pool()[0].signals
    assert first == second
    ids = [item.id for item in first[-1].evidence.items]
    assert ids == [f"E{n}" for n in range(1, len(ids) + 1)]


def test_ticking_more_often_changes_nothing():
    """A tick is processed once, however often Scout is asked."""
    often, once = Chain(), Chain()
    signals: list[Signal] = []
    for faults, seconds in ((CALM, 25), (POOL, 60)):
        for _ in range(seconds // 5):
            signals += often.run(5, faults)
            assert often.scout.tick(often.now_s) == []
        once.run(seconds, faults)
    assert signals == once.signals


def test_clock_that_runs_ahead_does_not_move_detection():
    """Nothing beyond `now_s` is processed."""
    chain = Chain()
    chain.run(25)
    came = chain.scout.tick(chain.now_s - 1000)
    assert came == []
    assert chain.run(60, POOL)


def test_fixed_service_closes_its_group_and_tells_so():
    """With the fix deployed 30 s of health are enough, and a later fault is another incident."""
    chain, _ = _broken_pool()
    group_id = chain.signals[0].group_id
    chain.deploy("quote", FIXED)
    chain.run(90, CALM)
    status = chain.scout.group(group_id)
    assert status is not None
    assert not status.open
    last = chain.signals[-1]
    assert last.group_id == group_id
    assert {anomaly.state for anomaly in last.anomalies} == {AnomalyState.CLOSED}
    chain.deploy("quote", "d" * 40)
    began_s = chain.now_s
    again = chain.run(60, POOL)
    assert {signal.group_id for signal in again}.isdisjoint({group_id})
    assert abs(again[0].onset.timestamp() - began_s) <= 10
    assert again[0].evidence.normal.start.timestamp() >= last.evidence.fault.end.timestamp() - 10


def test_group_stays_open_without_a_deploy_and_while_nothing_comes():
    """Two minutes of health are not enough without a deploy, and silence is none at all."""
    chain, _ = _broken_pool()
    chain.run(120, CALM)
    status = chain.scout.group(chain.signals[0].group_id)
    assert status is not None
    assert status.open


def test_open_groups_are_found_by_service(broken: Chain):
    """The worker attaches them to incidents that people opened."""
    assert broken.scout.signals("default", "default", "quote") == (broken.signals[-1],)
    assert broken.scout.signals("default", "default", "pricing") == ()
    assert broken.scout.signals("other", "default", "quote") == ()
    assert broken.scout.signals("default", None, "quote") == (broken.signals[-1],)
    assert broken.scout.signals("default", "other", "quote") == ()
    assert broken.scout.group("g-unknown") is None


def test_sli_of_the_deployed_revision_is_against_the_normal_before_the_incident():
    """Windows before the deploy are unhealthy; on the new revision there are none, then healthy ones."""
    chain, onset_s = _broken_pool()
    normal = chain.scout.sli(chain.key("quote"), since=_time(onset_s), window_s=10, min_requests=5)
    assert normal.saturated
    assert {window.health for window in normal.windows[1:]} == {Health.UNHEALTHY}
    deployed_s = chain.now_s
    chain.deploy("quote", FIXED)
    chain.run(60, CALM)
    since = _time(deployed_s - 20)
    report = chain.scout.sli(chain.key("quote"), since=since, window_s=10, min_requests=5, revision=FIXED)
    health = [window.health for window in report.windows]
    assert health[:2] == [Health.NO_DATA, Health.NO_DATA]
    assert set(health[2:]) == {Health.HEALTHY}
    assert len(health) >= 6
    assert report.baseline_error_ratio <= normal.baseline_error_ratio
    assert not report.saturated


def test_sli_of_a_fix_that_does_not_help_is_unhealthy():
    """The new revision fails as the old one did."""
    chain, _ = _broken_pool()
    since = _time(chain.now_s)
    chain.deploy("quote", FIXED)
    chain.run(60, POOL)
    report = chain.scout.sli(chain.key("quote"), since=since, window_s=10, min_requests=5, revision=FIXED)
    assert {window.health for window in report.windows} == {Health.UNHEALTHY}
    assert report.saturated


def test_sli_of_an_unknown_series_is_no_data():
    """What was never seen is not healthy."""
    chain = Chain()
    chain.run(60)
    key = SeriesKey(service="nobody", operation="GET /")
    report = chain.scout.sli(key, since=_time(chain.now_s - 30), window_s=10, min_requests=1)
    assert report.windows
    assert {window.health for window in report.windows} == {Health.NO_DATA}


def test_status_shows_services_edges_and_suspicions():
    """Scout's own health while a fault begins."""
    chain = Chain()
    chain.run(60)
    chain.run(15, POOL)
    status = whole(chain.scout.status())
    assert status.series == 3
    assert status.spans_total > 3000
    assert set(status.services) == {"gateway", "quote", "pricing"}
    assert status.edges == (("gateway", "quote"), ("quote", "pricing"))
    assert ("quote", Detector.ERRORS) in {(anomaly.key.service, anomaly.detector) for anomaly in status.suspects}


def test_the_last_minute_of_services_is_gathered_once_a_tick():
    """A dashboard asks every second, and thousands of series cost half a second each time."""
    chain = Chain()
    chain.run(60)
    first, second = (whole(chain.scout.status()).services["quote"] for _ in range(2))
    assert first is second
    chain.run(5)
    assert whole(chain.scout.status()).services["quote"] is not first


def test_scout_without_telemetry_is_silent():
    """Before the first span there is nothing to say."""
    chain = Chain()
    assert chain.scout.tick(chain.now_s) == []
    assert whole(chain.scout.status()).watermark is None

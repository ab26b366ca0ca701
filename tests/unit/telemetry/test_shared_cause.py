"""One cause behind several services is one incident, rooted where they meet; flapping keeps it one."""

import pytest

from agents.rca import diagnose
from telemetry.model import AnomalyState, Detector
from telemetry.testing import DATABASE, Chain, FanOut, Fault

SIX = ("cart", "catalog", "orders", "payment", "search", "users")


@pytest.mark.parametrize(
    "fault", [Fault(error_ratio=0.8), Fault(extra_ms=800)], ids=["a database that fails", "a database that is slow"]
)
def test_a_database_fault_that_hits_six_services_opens_one_incident_rooted_at_the_database(fault):
    """The database sends nothing itself: all six services, and the gateway before them, are disturbed by it."""
    shop = FanOut(SIX)
    assert shop.run(200) == []
    signals = shop.run(90, {DATABASE: fault})
    assert len({signal.group_id for signal in signals}) == 1
    last = signals[-1]
    assert {anomaly.key.service for anomaly in last.anomalies} >= set(SIX)
    assert {(s.root_service, s.root_operation) for s in signals} == {(DATABASE, "calls")}
    assert diagnose(last).service == DATABASE


def test_a_fault_of_one_service_is_rooted_in_it_although_it_calls_the_shared_database():
    """Its calls to the database are as they were."""
    shop = FanOut(SIX)
    shop.run(200)
    signals = shop.run(90, {"orders": Fault(error_ratio=0.8)})
    assert {signal.root_service for signal in signals} == {"orders"}


def test_a_single_service_that_cannot_reach_its_database_is_its_own_root():
    """Nobody else calls it, so nobody can tell the service's fault from the database's."""
    shop = FanOut(("orders",))
    shop.run(200)
    signals = shop.run(90, {DATABASE: Fault(error_ratio=0.8)})
    assert {signal.root_service for signal in signals} == {"orders"}


def test_twenty_flips_open_one_incident():
    """Through Scout itself: bad for a minute, then well for long enough to close, twenty times."""
    chain = Chain(services=("quote",), rate_rps=2.0)
    chain.run(200)
    signals = []
    for _ in range(20):
        signals += chain.run(60, {"quote": Fault(error_ratio=0.9)})
        signals += chain.run(340)
    assert len({signal.group_id for signal in signals}) == 1
    closed = [s for s in signals if all(a.state is AnomalyState.CLOSED for a in s.anomalies)]
    assert len(closed) == 20
    assert [signal.sequence for signal in signals] == list(range(1, len(signals) + 1))


def test_a_new_error_during_an_incident_joins_it():
    """A signature that nobody has seen before, on a service near by, is part of what is going on."""
    chain = Chain()
    chain.run(200)
    first = chain.run(60, {"pricing": Fault(error_ratio=0.8)})
    later = chain.run(60, {"pricing": Fault(error_ratio=0.8), "quote": Fault(error_ratio=0.5, error="KeyError")})
    assert {signal.group_id for signal in (*first, *later)} == {first[0].group_id}
    new = {a.key.service for a in later[-1].anomalies if a.detector is Detector.NEW_SIGNATURE}
    assert "quote" in new

"""Signals that Scout made of real telemetry: the sandbox's services under load, on a busy machine with two cores."""

from pathlib import Path

import pytest

from agents.diagnosis import CauseKind, Verdict
from agents.rca import diagnose
from agents.rca.resources import demand
from agents.signature import incident_signature
from telemetry.model import Signal

RECORDED = {
    path.stem: Signal.model_validate_json(path.read_text())
    for path in Path(__file__).with_name("signals").glob("*.json")
}
CULPRITS = {
    "db-pool-exhaustion": ("quote", CauseKind.DB_POOL_EXHAUSTION),
    "db-pool-exhaustion-later": ("quote", CauseKind.DB_POOL_EXHAUSTION),
    "bad-deploy": ("quote", CauseKind.BAD_DEPLOY),
    "latency-spike": ("pricing", CauseKind.LATENCY_REGRESSION),
}


@pytest.mark.parametrize("name", CULPRITS)
def test_recorded_fault_is_diagnosed(name):
    """Service and kind are right and confirmed."""
    diagnosis = diagnose(RECORDED[name])
    assert (diagnosis.service, diagnosis.kind) == CULPRITS[name]
    assert diagnosis.verdict is Verdict.CONFIRMED
    assert diagnosis.operation in {"GET /quote/{sku}", "GET /price/{sku}"}


def test_later_signal_of_the_same_incident_has_the_same_signature():
    """More detectors have fired by then, and counts have grown."""
    first, later = RECORDED["db-pool-exhaustion"], RECORDED["db-pool-exhaustion-later"]
    assert len(later.anomalies) > len(first.anomalies)
    assert incident_signature(first) == incident_signature(later)


def test_demand_for_connections_follows_from_what_was_served():
    """Two connections served a part of the requests; those that wait are more than would be needed."""
    found = demand(RECORDED["db-pool-exhaustion-later"].evidence, "quote")
    assert found is not None
    assert 3 < found[0] < 6
    assert "2 connections served" in found[1]

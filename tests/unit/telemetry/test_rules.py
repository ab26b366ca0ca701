"""Scout under the operator's rules: real OTLP messages, real state, event time."""

from datetime import UTC, datetime, timedelta

from telemetry.detect import DetectConfig
from telemetry.model import Detector, Signal
from telemetry.rules import Maintenance, ScoutConfig, Slo
from telemetry.scout import Scout
from telemetry.steps import whole
from telemetry.testing import Chain, Fault, gauges

FAILING = {"pricing": Fault(error_ratio=0.6)}
HOUR_S = 3600


def _chain(rules: ScoutConfig, rate_rps: float = 12.0) -> Chain:
    chain = Chain(rate_rps=rate_rps)
    chain.scout = Scout(chain.state, rules=rules)
    return chain


def _found(signals: list[Signal]) -> set[tuple[str, Detector]]:
    return {(anomaly.key.service, anomaly.detector) for signal in signals for anomaly in signal.anomalies}


def test_maintenance_opens_nothing_and_what_is_still_broken_afterwards_is_an_incident():
    """The suspicions are shown; two minutes after the end the fault is confirmed."""
    start = datetime.fromtimestamp(Chain().now_s, UTC) + timedelta(seconds=120)
    planned = Maintenance(services=("*",), start=start, end=start + timedelta(seconds=180))
    chain = _chain(ScoutConfig(maintenance=(planned,)))
    chain.run(120)
    assert chain.run(180, FAILING) == []
    assert {suspect.key.service for suspect in whole(chain.scout.status()).suspects} >= {"pricing"}
    assert chain.run(120, FAILING)


def test_objective_of_a_service_is_watched():
    """Two of three requests fail: the budget of an hour is spent within minutes, and the page joins the incident."""
    chain = _chain(ScoutConfig(slos=(Slo(service="gateway", objective=0.999),)))
    chain.run(60)
    chain.run(300, FAILING)
    assert ("gateway", Detector.BURN_RATE) in _found(chain.signals)
    assert len({signal.group_id for signal in chain.signals}) == 1


def test_service_that_falls_silent_is_an_incident_of_its_caller():
    """After an hour of traffic, gateway serves on its own and calls nobody."""
    chain = _chain(ScoutConfig(), rate_rps=2.0)
    chain.run(HOUR_S + 360)
    assert chain.signals == []
    chain.run(240, {"gateway": Fault(error_ratio=0.0001, timeout_ms=1e9)})
    assert chain.signals == []
    chain._services = ("gateway",)
    chain.run(240)
    assert _found(chain.signals) == {("quote", Detector.TRAFFIC), ("pricing", Detector.TRAFFIC)}
    assert len({signal.group_id for signal in chain.signals}) == 1
    assert chain.signals[-1].root_service == "quote"


def test_leak_is_an_incident_before_the_limit_is_hit():
    """A heap that fills within 20 minutes, exported every 15 s, next to traffic that is fine."""
    chain = _chain(ScoutConfig(), rate_rps=0.5)
    began_s = chain.now_s
    for step in range(80):
        at_s = began_s + 15 * step
        values = {"jvm.memory.used": 300.0 + 700 * step / 80, "jvm.memory.limit": 1000.0}
        chain.state.add_metrics("default", gauges(chain.where["quote"], at_s, values, {"jvm.memory.type": "heap"}))
        if chain.run(15):
            break
    assert _found(chain.signals) == {("quote", Detector.SATURATION)}
    assert chain.now_s - began_s <= 600
    assert "will be there in about" in chain.signals[0].anomalies[0].reason


def test_configuration_of_the_operator_is_optional():
    """Without rules no objective is watched."""
    assert ScoutConfig().slos_in("default", "default") == ()
    assert DetectConfig().burn_rows

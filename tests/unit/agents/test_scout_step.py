"""Scout's step: confirm, dismiss, or hand over."""

from datetime import UTC, datetime

from agents.incident import Stage
from agents.scout import scout
from agents.testing.builders import incident
from agents.testing.scenarios import pool_signal
from agents.testing.telemetry import FakeTelemetry
from agents.writes import CloseIssue, PostComment
from telemetry.model import GroupStatus

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def now():
    """Return a fixed time."""
    return NOW


async def test_an_anomaly_that_holds_goes_on_with_a_signature():
    """An open group is confirmed, and the incident gets its signature and root service."""
    telemetry, signal = FakeTelemetry(), pool_signal()
    telemetry.groups["g1"] = GroupStatus(group_id="g1", open=True, anomalies=signal.anomalies)
    after = await scout(telemetry, now)(incident(signal, Stage.OBSERVING, signature=""))
    assert after.stage is Stage.RECALLING
    assert after.signature
    assert after.service == "quote"


async def test_an_anomaly_that_closed_by_itself_ends_the_incident():
    """A closed group dismisses the incident and closes its issue as not planned."""
    telemetry, signal = FakeTelemetry(), pool_signal()
    telemetry.groups["g1"] = GroupStatus(group_id="g1", open=False, anomalies=signal.anomalies)
    after = await scout(telemetry, now)(incident(signal, Stage.OBSERVING))
    assert after.stage is Stage.DISMISSED
    assert CloseIssue(completed=False) in after.outgoing


async def test_a_group_that_scout_forgot_still_counts():
    """After a restart of Scout the group is unknown; that is no evidence of health."""
    after = await scout(FakeTelemetry(), now)(incident(pool_signal(), Stage.OBSERVING))
    assert after.stage is Stage.RECALLING


async def test_a_person_s_incident_takes_the_signal_of_its_service():
    """An incident without a signal gets the open one of the service that it names, with its onset."""
    telemetry, signal = FakeTelemetry(), pool_signal()
    telemetry.open_signals.append(signal)
    after = await scout(telemetry, now)(incident(None, Stage.OBSERVING, service="quote"))
    assert after.stage is Stage.RECALLING
    assert after.signal == signal
    assert after.clock.onset == signal.onset


async def test_a_person_s_incident_without_any_anomaly_is_handed_over():
    """Without an anomaly there is no evidence: people are told so, and nothing is guessed."""
    after = await scout(FakeTelemetry(), now)(incident(None, Stage.OBSERVING, service="quote"))
    assert after.stage is Stage.ESCALATED
    assert any(isinstance(write, PostComment) and "no anomaly on quote" in write.note for write in after.outgoing)


async def test_a_person_s_incident_takes_the_environment_of_the_signal():
    """People name services, not environments: the signal's is found wherever it is, and kept for verification."""
    telemetry = FakeTelemetry()
    telemetry.open_signals.append(pool_signal().model_copy(update={"environment": "production"}))
    after = await scout(telemetry, now)(incident(None, Stage.OBSERVING, service="quote"))
    assert (after.stage, after.environment) == (Stage.RECALLING, "production")

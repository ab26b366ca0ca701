"""A new error that no other finding explains: an incident when a new version brought it, else none."""

from telemetry.detect import DetectConfig
from telemetry.memory import Incidents, Normal, read, write
from telemetry.model import AnomalyState, Detector, Severity
from telemetry.testing import Chain, Fault

RARE = {"quote": Fault(error_ratio=0.015, error="KeyError")}
BROKEN = {"quote": Fault(error_ratio=0.8, error="KeyError")}
BAD = "b" * 40
WEEK_S = 7 * 86_400


def _chain() -> Chain:
    chain = Chain(rate_rps=6)
    chain.run(100)
    return chain


def test_a_rare_new_error_of_a_new_version_is_an_incident_of_its_service():
    """Too rare for D1, and the callers that pass it on are part of it: low, one group, rooted where it came from."""
    chain = _chain()
    chain.deploy("quote", BAD)
    signals = chain.run(150, RARE)
    assert len({signal.group_id for signal in signals}) == 1
    last = signals[-1]
    assert last.root_service == "quote"
    assert last.severity is Severity.LOW
    assert {anomaly.detector for anomaly in last.anomalies} == {Detector.NEW_SIGNATURE}


def test_a_rare_new_error_without_a_new_version_opens_nothing():
    """It wakes nobody at night."""
    assert _chain().run(300, RARE) == []


def test_a_new_error_long_after_the_new_version_opens_nothing():
    """The version did not bring it: here after more than a minute, by default after half an hour."""
    chain = Chain(rate_rps=6, config=DetectConfig(version_near_s=60))
    chain.run(100)
    chain.deploy("quote", BAD)
    chain.run(90)
    assert chain.run(150, RARE) == []


def test_a_new_error_that_grows_is_the_same_incident():
    """The failing requests join the signature's incident; its root stays."""
    chain = _chain()
    chain.deploy("quote", BAD)
    first = chain.run(150, RARE)
    later = chain.run(60, BROKEN)
    assert {signal.group_id for signal in (*first, *later)} == {first[0].group_id}
    assert Detector.ERRORS in {anomaly.detector for anomaly in later[-1].anomalies}
    assert later[-1].root_service == "quote"


def test_a_new_error_that_breaks_a_new_version_at_once_is_one_incident():
    """The failing requests open it, the signature joins."""
    chain = _chain()
    chain.deploy("quote", BAD)
    signals = chain.run(150, BROKEN)
    assert len({signal.group_id for signal in signals}) == 1
    assert signals[-1].root_service == "quote"


def test_a_lone_new_error_closes_after_the_fix_is_deployed():
    """30 s without it are enough then."""
    chain = _chain()
    chain.deploy("quote", BAD)
    opened = chain.run(150, RARE)
    chain.deploy("quote", "c" * 40)
    last = chain.run(120)[-1]
    assert last.group_id == opened[0].group_id
    assert {anomaly.state for anomaly in last.anomalies} == {AnomalyState.CLOSED}


def test_a_lone_new_error_is_the_same_incident_after_a_restart(tmp_path):
    """Whether its incident was open before the restart, or was still waited for."""
    for seconds in (50, 150):
        chain = _chain()
        chain.deploy("quote", BAD)
        before = chain.run(seconds, RARE)
        assert bool(before) is (seconds == 150)
        write(tmp_path / "normal", chain.scout.dump(), chain.now_s)
        write(tmp_path / "incidents", chain.scout.dump_incidents(), chain.now_s)
        chain.restart()
        normal = read(tmp_path / "normal", Normal, chain.now_s, WEEK_S).content
        incidents = read(tmp_path / "incidents", Incidents, chain.now_s, WEEK_S).content
        assert normal is not None
        assert incidents is not None
        chain.scout.load(normal, incidents)
        chain.run(150, RARE)
        assert len({signal.group_id for signal in chain.signals}) == 1

"""What Scout has learned survives a restart; what is damaged, old or of another version is set aside."""

from pathlib import Path

import msgspec
import pytest
import zstandard

from telemetry.memory import Incidents, Normal, read, write
from telemetry.model import AnomalyState, Detector
from telemetry.steps import whole
from telemetry.testing import Chain, Fault

WEEK_S = 7 * 86_400
FAILING = {"quote": Fault(error_ratio=0.9)}
SLOW = {"pricing": Fault(extra_ms=900)}


def restarted(chain: Chain, folder: Path) -> None:
    """Restart a chain's Scout with what it had learned, over real files."""
    write(folder / "normal", chain.scout.dump(), chain.now_s)
    write(folder / "incidents", chain.scout.dump_incidents(), chain.now_s)
    chain.restart()
    normal = read(folder / "normal", Normal, chain.now_s, WEEK_S)
    incidents = read(folder / "incidents", Incidents, chain.now_s, WEEK_S)
    assert normal.content is not None, normal.problem
    assert incidents.content is not None, incidents.problem
    chain.scout.load(normal.content, incidents.content)


def test_the_first_ticks_after_a_restart_are_judged_by_the_old_baseline(tmp_path):
    """A service that turned slow while Scout restarted is found: a Scout without memory learns that as normal."""
    signals = {}
    for remembers in (True, False):
        chain = Chain()
        chain.run(300)
        if remembers:
            restarted(chain, tmp_path)
        else:
            chain.restart()
        signals[remembers] = chain.run(90, SLOW)
    assert signals[False] == []
    found = {(a.key.service, a.detector) for a in signals[True][-1].anomalies}
    assert ("pricing", Detector.LATENCY) in found


def test_limits_and_ratios_are_the_same_after_a_restart(tmp_path):
    """As they are told by the SLI report, also before the series has sent again."""
    chain = Chain()
    chain.run(600, {"quote": Fault(error_ratio=0.004)})
    reports = []
    for _ in range(2):
        report = chain.scout.sli(
            chain.key("quote"), since=whole(chain.scout.status()).started, window_s=10, min_requests=1
        )
        reports.append((report.baseline_error_ratio, report.baseline_p99_ms))
        restarted(chain, tmp_path)
    assert reports[0] == pytest.approx(reports[1], rel=1e-6)
    assert reports[0][1] is not None


def test_an_open_incident_is_the_same_one_after_a_restart_and_closes_with_the_next_sequence(tmp_path):
    """No second incident while the fault goes on; the end is told under the old id."""
    chain = Chain()
    chain.run(300)
    before = chain.run(60, FAILING)
    restarted(chain, tmp_path)
    assert chain.scout.group(before[0].group_id).open
    assert chain.scout.signals("default", "default", "quote") == (before[-1],)
    during = chain.run(120, FAILING)
    assert {signal.group_id for signal in (*before, *during)} == {before[0].group_id}
    after = chain.run(400)
    assert [(s.group_id, s.sequence) for s in after] == [(before[0].group_id, (*before, *during)[-1].sequence + 1)]
    assert {a.state for a in after[0].anomalies} == {AnomalyState.CLOSED}
    assert after[0].onset == before[0].onset


def test_a_fault_that_flaps_across_restarts_is_one_incident(tmp_path):
    """Closed before the restart, bad again after it: the same anomaly opens again."""
    chain = Chain()
    chain.run(300)
    first = chain.run(60, FAILING)
    chain.run(340)
    restarted(chain, tmp_path)
    again = chain.run(60, FAILING)
    assert {signal.group_id for signal in again} == {first[0].group_id}


def test_a_known_error_is_not_new_after_a_restart(tmp_path):
    """The signature was there before; without memory it would count as new once Scout had watched for a while."""
    novel = {}
    for remembers in (True, False):
        chain = Chain(rate_rps=4.0)
        chain.run(100)
        chain.run(60, {"quote": Fault(error_ratio=0.3)})
        chain.run(400)
        if remembers:
            restarted(chain, tmp_path)
        else:
            chain.restart()
        chain.run(60)
        signals = chain.run(60, {"quote": Fault(error_ratio=0.9)})
        novel[remembers] = {a.onset for a in signals[-1].anomalies if a.detector is Detector.NEW_SIGNATURE}
    assert novel[False]
    assert all(onset.timestamp() < chain.now_s - 180 for onset in novel[True])


def test_the_time_without_a_scout_is_not_judged(tmp_path):
    """Half an hour of downtime: no ticks without traffic are made up, and nothing is found."""
    chain = Chain()
    chain.run(300)
    restarted(chain, tmp_path)
    chain.now_s += 1800
    assert chain.run(120) == []
    assert chain.scout.findings() == []


def test_series_that_stay_silent_keep_their_baseline_over_two_restarts(tmp_path):
    """What was not seen between two restarts is not lost with the second."""
    chain = Chain()
    chain.run(300)
    restarted(chain, tmp_path)
    restarted(chain, tmp_path)
    assert chain.run(90, SLOW)


@pytest.fixture
def kept(tmp_path):
    """A file of a Scout that has an incident open."""
    chain = Chain(rate_rps=4.0)
    chain.run(100)
    assert chain.run(60, FAILING)
    write(tmp_path / "incidents", chain.scout.dump_incidents(), 1000.0)
    return tmp_path / "incidents"


def test_what_was_written_is_read(kept):
    """With the time of writing."""
    found = read(kept, Incidents, 1060.0, WEEK_S)
    assert (found.problem, found.saved_s) == (None, 1000.0)
    assert found.content is not None
    assert [group.is_open for group in found.content.places[0].groups] == [True]


def test_nothing_written_is_no_problem(tmp_path):
    """The first start."""
    found = read(tmp_path / "none", Normal, 0.0, WEEK_S)
    assert (found.content, found.problem) == (None, None)


def test_a_file_damaged_anywhere_is_set_aside_or_still_whole(kept):
    """Every byte turned over, every length cut: never an exception."""
    whole = kept.read_bytes()
    for at in range(0, len(whole), 97):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            kept.write_bytes(damaged)
            found = read(kept, Incidents, 1060.0, WEEK_S)
            assert (found.content is None) == (found.problem is not None)
            if found.problem is not None:
                assert found.set_aside == kept.with_name("incidents.unusable")
                assert not kept.exists()


def test_another_version_or_another_content_is_set_aside(kept):
    """What a newer program wrote is not guessed at, and not destroyed."""
    for envelope, said in (
        ({"version": 999, "saved_s": 1000.0, "body": {}}, "has version 999, not 1"),
        ({"version": 1, "saved_s": 1000.0, "body": {"places": 7}}, "is damaged"),
    ):
        kept.write_bytes(zstandard.compress(msgspec.msgpack.encode(envelope)))
        found = read(kept, Incidents, 1060.0, WEEK_S)
        assert found.content is None
        assert found.problem.startswith(said)
        assert found.set_aside.exists()


def test_what_is_older_than_a_week_is_not_used(kept):
    """The world has changed since."""
    assert read(kept, Incidents, 1000.0 + WEEK_S + 1, WEEK_S).problem == "is older than 7 days"


def test_a_failed_write_leaves_the_old_file_and_no_rest(kept, monkeypatch):
    """Killed or out of room in the middle: what was there stays."""
    before = kept.read_bytes()

    def fails(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("telemetry.memory.file.os.fsync", fails)
    with pytest.raises(OSError, match="No space left"):
        write(kept, Normal(), 2000.0)
    assert kept.read_bytes() == before
    assert [path.name for path in kept.parent.iterdir()] == ["incidents"]

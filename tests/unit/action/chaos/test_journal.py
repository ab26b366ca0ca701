"""Journals as Chaos Toolkit itself writes them, read back."""

import pytest
from chaoslib.experiment import run_experiment
from chaoslib.types import Strategy

from action.chaos.journal import read_journal, write_journal
from action.chaos.process import ROLL_BACK_ALWAYS


def calls(name, func="getpid", kind="action", **more):
    """Return an activity that calls a function of `os`."""
    return {"type": kind, "name": name, "provider": {"type": "python", "module": "os", "func": func}, **more}


def played(tmp_path, *, tolerance="bool", method=()):
    """Return the journal of an experiment that Chaos Toolkit has run, as it is read back."""
    steady = {"title": "t", "probes": [calls("steady", kind="probe", tolerance=tolerance)]}
    experiment = {"title": "t", "description": "d", "steady-state-hypothesis": steady, "method": list(method)}
    experiment["rollbacks"] = [calls("stop-fault")]
    journal = run_experiment(experiment, settings=ROLL_BACK_ALWAYS, strategy=Strategy.BEFORE_METHOD)
    write_journal(tmp_path / "journal.json", journal)
    return read_journal(tmp_path / "journal.json").journal


ANY_NUMBER = {"type": "range", "range": [0, 10_000_000]}
NEVER = {"type": "range", "range": [-2, -1]}


def test_a_run_that_went_well_is_read_with_its_outputs(tmp_path):
    """Status, steady state, the method's activities by name, and the roll-backs."""
    journal = played(tmp_path, tolerance=ANY_NUMBER, method=[calls("start-fault")])
    assert journal.status == "completed"
    assert journal.steady_states.before.steady_state_met
    assert journal.activity("start-fault").ok
    assert isinstance(journal.activity("start-fault").output, int)
    assert [run.activity.name for run in journal.rollbacks] == ["stop-fault"]
    assert journal.activity("other") is None


def test_an_unsteady_system_is_left_alone_and_rolled_back_all_the_same(tmp_path):
    """The method never runs, the roll-backs always do; the probe that deviated is the last."""
    journal = played(tmp_path, tolerance=NEVER, method=[calls("start-fault")])
    assert not journal.steady_states.before.steady_state_met
    assert not journal.steady_states.before.probes[-1].ok
    assert journal.activity("start-fault") is None
    assert journal.rollbacks[0].ok


def test_a_failed_activity_says_why_in_one_line(tmp_path):
    """`os.abc` does not exist: what Chaos Toolkit says of an activity's error is kept."""
    failing = calls("start-fault", func="stat")
    failing["provider"]["arguments"] = {"path": "/no/such/file"}
    journal = played(tmp_path, tolerance=ANY_NUMBER, method=[failing])
    assert not journal.activity("start-fault").ok
    assert "No such file" in journal.activity("start-fault").why
    assert "\n" not in journal.activity("start-fault").why
    assert journal.rollbacks[0].ok


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"status": "odd"}'])
def test_no_journal_or_a_broken_one_is_told_and_never_read_as_success(tmp_path, content):
    """A killed experiment leaves nothing, or half a file."""
    file = tmp_path / "journal.json"
    if content is not None:
        file.write_bytes(content)
    read = read_journal(file)
    assert read.journal is None
    assert read.problem

"""Decisions: what was broken off says nothing; what was not seen in time is a failure; only all of it is a pass."""

from datetime import timedelta

import pytest

from action.chaos.milestones import Stopped
from action.chaos.run import exit_code
from action.chaos.score import Decision, Reason, judge
from action.settings import FailOn, Until
from tests.unit.action.story import ONSET, SPEC, at, journal, run, seen


def reason(found_journal, found_seen, until=Until.RECOVERY):
    """Return decision and reason."""
    verdict = judge(found_journal, found_seen, SPEC, until)
    return verdict.decision, verdict.reason


def test_everything_in_time_is_a_pass():
    """Detected, explained, proposed, recovered, cleaned up."""
    assert reason(journal(), seen()) == (Decision.PASS, Reason.RESOLVED)


@pytest.mark.parametrize(
    ("until", "expected"),
    [(Until.DETECTION, Reason.DETECTED), (Until.ANALYSIS, Reason.ANALYSED), (Until.PROPOSAL, Reason.PROPOSED)],
)
def test_what_was_waited_for_is_enough(until, expected):
    """A run until the detection asks neither for a recovery nor for a steady state after it."""
    before_only = journal().model_copy(
        update={"steady_states": journal().steady_states.model_copy(update={"after": None})}
    )
    assert reason(before_only, seen(recovered_at=None), until) == (Decision.PASS, expected)


def unsteady(name, **probe):
    """Return a journal whose steady state did not hold before."""
    state = {"steady_state_met": False, "probes": [run(name, **probe)]}
    return journal(status="failed", steady_states={"before": state, "after": None}, run=[])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (unsteady("no-open-incident", output=2, tolerance_met=False), Reason.OPEN_INCIDENT),
        (unsteady("no-open-incident", status="failed", exception=["HubError: 500\n"]), Reason.NOT_STEADY),
        (unsteady("requests-succeed", output=0.4, tolerance_met=False), Reason.NOT_STEADY),
        (journal(steady_states={"before": None, "after": None}), Reason.NOT_STEADY),
        (journal(run=[run("start-fault", "failed"), run("follow-incident", "failed")]), Reason.INJECTION_FAILED),
        (journal(status="interrupted"), Reason.INTERRUPTED),
        (journal(run=[run("start-fault"), run("follow-incident", "failed")]), Reason.INTERRUPTED),
    ],
)
def test_a_run_that_was_broken_off_is_an_abort(found, expected):
    """Even with milestones that would pass, nothing is said of SRE-Space."""
    assert reason(found, seen()) == (Decision.ABORT, expected)


def test_no_journal_is_an_abort():
    """An experiment that was killed leaves none."""
    assert reason(None, seen()) == (Decision.ABORT, Reason.INTERRUPTED)


def test_an_incident_beyond_the_blast_radius_is_an_abort():
    """The experiment hurt more than it may."""
    broad = seen(stopped=Stopped.BLAST_RADIUS, services=("billing", "quote"))
    verdict = judge(journal(), broad, SPEC, Until.RECOVERY)
    assert (verdict.decision, verdict.reason) == (Decision.ABORT, Reason.BLAST_RADIUS)
    assert "billing" in verdict.note


def test_a_recovery_after_the_fault_expired_proves_nothing():
    """When the fault is gone, the service is well without any fix."""
    assert reason(journal(), seen(expires_at=at(60))) == (Decision.ABORT, Reason.FAULT_EXPIRED)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"detected_at": None, "stopped": Stopped.NOT_DETECTED}, Reason.NOT_DETECTED),
        ({"analysed_at": None, "stopped": Stopped.TIMED_OUT}, Reason.NOT_ANALYSED),
        ({"proposed_at": None, "stopped": Stopped.TIMED_OUT}, Reason.NOT_PROPOSED),
        ({"recovered_at": None, "stopped": Stopped.TIMED_OUT}, Reason.NOT_RECOVERED),
        ({"recovered_at": None, "stopped": Stopped.ESCALATED}, Reason.ESCALATED),
        ({"recovered_at": None, "stopped": Stopped.CLOSED_UNRESOLVED}, Reason.CLOSED_UNRESOLVED),
        ({"cause_service": "pricing"}, Reason.WRONG_CAUSE),
        ({"cause_kind": "bad deploy"}, Reason.WRONG_CAUSE),
        ({"detected_at": at(61)}, Reason.TOO_SLOW),
        ({"recovered_at": at(601)}, Reason.TOO_SLOW),
    ],
)
def test_what_is_missing_or_wrong_is_a_failure(changes, expected):
    """Each shortcoming has its own reason."""
    assert reason(journal(), seen(**changes)) == (Decision.FAIL, expected)


def test_a_steady_state_that_does_not_come_back_is_a_failure():
    """Closed as recovered, and customers are still not served."""
    states = {"before": {"steady_state_met": True}, "after": {"steady_state_met": False}}
    assert reason(journal(deviated=True, steady_states=states), seen()) == (Decision.FAIL, Reason.DEVIATED)


@pytest.mark.parametrize("rollbacks", [[], [run("stop-fault", "failed")]])
def test_a_fault_that_was_not_taken_back_is_never_a_pass(rollbacks):
    """The clean-up belongs to the experiment."""
    assert reason(journal(rollbacks=rollbacks), seen()) == (Decision.FAIL, Reason.CLEAN_UP_FAILED)


def test_times_count_from_the_onset_and_are_never_negative():
    """GitHub cuts seconds off, so an issue may seem older than its fault."""
    assert (seen().ttd_s, seen().ttr_s) == (20, 90)
    assert seen(detected_at=ONSET - timedelta(milliseconds=400)).ttd_s == 0
    assert seen(recovered_at=None).ttr_s is None


@pytest.mark.parametrize(
    ("decision", "fail_on", "code"),
    [
        (Decision.PASS, FailOn.ABORT, 0),
        (Decision.FAIL, FailOn.FAIL, 1),
        (Decision.FAIL, FailOn.NEVER, 0),
        (Decision.ABORT, FailOn.FAIL, 0),
        (Decision.ABORT, FailOn.ABORT, 1),
    ],
)
def test_the_step_fails_on_what_was_asked_for(decision, fail_on, code):
    """By default an abort does not fail a scheduled run."""
    assert exit_code(decision, fail_on) == code

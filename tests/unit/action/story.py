"""A run of an experiment in which everything went well, to be changed by tests."""

from datetime import UTC, datetime, timedelta

from action.chaos.experiment import Expected, Extension, Limits
from action.chaos.journal import Journal
from action.chaos.milestones import Milestones, Stopped

ONSET = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SPEC = Extension(
    name="sre-space",
    fault="db-pool-exhaustion",
    blast_radius=frozenset({"quote"}),
    expect=Expected(service="quote", kind="db pool exhaustion"),
    limits=Limits(ttd_s=60, ttr_s=600),
)


def at(seconds):
    """Return a moment after the onset."""
    return ONSET + timedelta(seconds=seconds)


def run(name, status="succeeded", **more):
    """Return an activity of a journal."""
    return {"activity": {"name": name}, "status": status, **more}


def journal(**changes):
    """Return the journal of a run in which everything went well."""
    steady = {"steady_state_met": True, "probes": [run("no-open-incident", output=0, tolerance_met=True)]}
    good = {
        "status": "completed",
        "steady_states": {"before": steady, "after": steady},
        "run": [run("start-fault"), run("follow-incident")],
        "rollbacks": [run("stop-fault")],
    }
    return Journal.model_validate({**good, **changes})


def seen(**changes):
    """Return the milestones of such a run."""
    good = Milestones(
        armed_at=at(-2),
        onset=ONSET,
        expires_at=at(900),
        incident=1,
        detected_at=at(20),
        verdict="likely",
        cause_service="quote",
        cause_kind="db pool exhaustion",
        analysed_at=at(22),
        pull_request=2,
        proposed_at=at(23),
        merged_at=at(30),
        recovered_at=at(90),
        stopped=Stopped.REACHED,
    )
    return good.model_copy(update=changes)

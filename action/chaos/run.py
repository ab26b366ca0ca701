"""One run of `mode: chaos`: check, experiment, score, report; and the clean-up that follows whatever happened."""

from pydantic import ValidationError

from action.chaos import experiment
from action.chaos.activities import stop_fault
from action.chaos.journal import Read, read_journal
from action.chaos.milestones import Milestones
from action.chaos.process import INVALID, run_child
from action.chaos.score import Decision, Reason, Verdict, judge
from action.chaos.summary import summary
from action.errors import InputError
from action.files import add_summary, set_outputs
from action.settings import Context, FailOn

STARTUP_S = 180.0
"""Over `max-duration-s`: the steady state, and the injection, which may be a deploy."""
OK, FAILED = 0, 1


def run_chaos(context: Context) -> int:
    """Run the experiment, write outputs and summary, and return the exit code of the step.

    Raises:
        ActionError: an input or the experiment cannot be used; nothing was broken.
    """
    given = context.inputs
    if not given.injector_url:
        raise InputError("injector-url", "is needed for `mode: chaos`")
    path = experiment.find(given.experiment, context.runner.workspace)
    found = experiment.load(path)
    context.folder.mkdir(parents=True, exist_ok=True)
    for old in (context.journal, context.progress):
        old.unlink(missing_ok=True)
    code = run_child(path, given.max_duration_s + STARTUP_S)
    read = read_journal(context.journal)
    seen = _milestones(context)
    verdict = _verdict(context, found, read, seen, code)
    report(context, found, verdict, seen)
    return exit_code(verdict.decision, given.fail_on)


def _verdict(context: Context, found: experiment.Experiment, read: Read, seen: Milestones, code: int) -> Verdict:
    if code == INVALID:
        note = "Chaos Toolkit does not take this experiment; its message is in the log."
        return Verdict(decision=Decision.ABORT, reason=Reason.INVALID, note=note)
    return judge(read.journal, seen, found.spec, context.inputs.until, read.problem)


def _milestones(context: Context) -> Milestones:
    """Return what was noted down, which is there even when the experiment was killed."""
    try:
        return Milestones.model_validate_json(context.progress.read_bytes())
    except (FileNotFoundError, ValidationError):
        return Milestones()


def report(context: Context, found: experiment.Experiment, verdict: Verdict, seen: Milestones) -> None:
    """Write the outputs and the job summary."""
    outputs: dict[str, object] = {
        "decision": verdict.decision,
        "reason-code": verdict.reason,
        "incident": seen.incident,
        "pull-request": seen.pull_request,
        "ttd": None if seen.ttd_s is None else f"{seen.ttd_s:.0f}",
        "ttr": None if seen.ttr_s is None else f"{seen.ttr_s:.0f}",
    }
    set_outputs(context.runner.output, outputs)
    add_summary(context.runner.step_summary, summary(found, verdict, seen))


def exit_code(decision: Decision, fail_on: FailOn) -> int:
    """Return whether the step fails: by default when SRE-Space did, but not when nothing can be said of it."""
    failing = {
        FailOn.NEVER: frozenset[Decision](),
        FailOn.FAIL: frozenset({Decision.FAIL}),
        FailOn.ABORT: frozenset({Decision.FAIL, Decision.ABORT}),
    }[fail_on]
    return FAILED if decision in failing else OK


def clean_up(context: Context) -> int:
    """End the fault of this job's experiment, if it asked for one, and return the exit code of the step.

    Raises:
        ActionError: the fault injector does not answer; the fault ends when its time is up.
    """
    if not context.progress.exists():
        return OK
    spec = experiment.load(experiment.find(context.inputs.experiment, context.runner.workspace)).spec
    stop_fault(spec.fault)
    return OK

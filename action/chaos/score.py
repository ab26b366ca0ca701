"""The score of an experiment: pure judgement over its journal and milestones."""

from enum import StrEnum

from action.chaos.experiment import Extension
from action.chaos.journal import FOLLOW, START, Journal, Run
from action.chaos.milestones import Milestones, Stopped
from action.settings import Until
from telemetry.model import Frozen


class Decision(StrEnum):
    """What the run says: SRE-Space passed, it failed, or nothing can be said because the run was broken off."""

    PASS = "pass"  # noqa: S105 - a decision, not a password
    FAIL = "fail"
    ABORT = "abort"


class Reason(StrEnum):
    """Why; the output `reason-code`."""

    RESOLVED = "resolved"
    DETECTED = "detected"
    ANALYSED = "analysed"
    PROPOSED = "proposed"
    NOT_DETECTED = "not-detected"
    NOT_ANALYSED = "not-analysed"
    WRONG_CAUSE = "wrong-cause"
    NOT_PROPOSED = "not-proposed"
    NOT_RECOVERED = "not-recovered"
    ESCALATED = "escalated"
    CLOSED_UNRESOLVED = "closed-unresolved"
    DEVIATED = "deviated"
    TOO_SLOW = "too-slow"
    CLEAN_UP_FAILED = "clean-up-failed"
    OPEN_INCIDENT = "open-incident"
    NOT_STEADY = "steady-state-not-met"
    INJECTION_FAILED = "injection-failed"
    BLAST_RADIUS = "blast-radius-exceeded"
    FAULT_EXPIRED = "fault-expired"
    INTERRUPTED = "interrupted"
    INVALID = "experiment-invalid"


REACHED = {
    Until.DETECTION: Reason.DETECTED,
    Until.ANALYSIS: Reason.ANALYSED,
    Until.PROPOSAL: Reason.PROPOSED,
    Until.RECOVERY: Reason.RESOLVED,
}


class Verdict(Frozen):
    """A decision with its reason, and a sentence for people."""

    decision: Decision
    reason: Reason
    note: str


def judge(journal: Journal | None, seen: Milestones, spec: Extension, until: Until, problem: str = "") -> Verdict:
    """Return the verdict on a run. What was broken off is an abort, before anything is held against SRE-Space."""
    if journal is None:
        return _abort(Reason.INTERRUPTED, problem)
    for verdict in (_aborted(journal, seen), _short_of(seen, until), _wrong(journal, seen, spec, until)):
        if verdict is not None:
            return verdict
    return Verdict(decision=Decision.PASS, reason=REACHED[until], note="Everything that was waited for came in time.")


def _aborted(journal: Journal, seen: Milestones) -> Verdict | None:
    before = journal.steady_states.before
    if before is None or not before.steady_state_met:
        return _not_steady(before.probes[-1] if before and before.probes else None)
    start, follow = journal.activity(START), journal.activity(FOLLOW)
    broken_off = journal.status in {"aborted", "interrupted"}
    if (start is None or not start.ok) and not broken_off:
        return _abort(Reason.INJECTION_FAILED, start.why if start else "the fault was never put in place")
    if seen.stopped is Stopped.BLAST_RADIUS:
        hurt = ", ".join(seen.services)
        return _abort(Reason.BLAST_RADIUS, f"An incident touches more than the experiment allows: {hurt}.")
    if broken_off or follow is None or not follow.ok:
        return _abort(Reason.INTERRUPTED, follow.why if follow else "the experiment was interrupted")
    if seen.recovered_at and seen.expires_at and seen.recovered_at > seen.expires_at:
        return _abort(Reason.FAULT_EXPIRED, "The fault ended by itself before the recovery, so that proves nothing.")
    return None


def _not_steady(probe: Run | None) -> Verdict:
    if probe is not None and probe.activity.name == "no-open-incident" and probe.status == "succeeded":
        return _abort(Reason.OPEN_INCIDENT, f"Open incidents: {probe.output}. Nothing was broken.")
    why = f"{probe.activity.name}: {probe.why}" if probe else "it was not looked at"
    return _abort(Reason.NOT_STEADY, f"The steady state did not hold before, so nothing was broken ({why}).")


ENDED = {
    Stopped.ESCALATED: (Reason.ESCALATED, "SRE-Space handed the incident over to people."),
    Stopped.CLOSED_UNRESOLVED: (Reason.CLOSED_UNRESOLVED, "The issue was closed without a recovery that is proven."),
}


def _short_of(seen: Milestones, until: Until) -> Verdict | None:
    if seen.stopped is Stopped.REACHED:
        return None
    if seen.stopped is not None and seen.stopped in ENDED:
        return _fail(*ENDED[seen.stopped])
    missing = (
        (seen.detected_at is None, Reason.NOT_DETECTED, "No incident was opened in time."),
        (seen.analysed_at is None, Reason.NOT_ANALYSED, "No root-cause analysis came in time."),
        (seen.proposed_at is None, Reason.NOT_PROPOSED, "No pull request came in time."),
        (until is Until.RECOVERY, Reason.NOT_RECOVERED, "The incident was not closed as recovered in time."),
    )
    return next((_fail(reason, note) for holds, reason, note in missing if holds), None)


def _wrong(journal: Journal, seen: Milestones, spec: Extension, until: Until) -> Verdict | None:
    expected = spec.expect
    if expected and seen.cause_service and seen.cause_service != expected.service:
        return _fail(Reason.WRONG_CAUSE, f"The analysis names {seen.cause_service} instead of {expected.service}.")
    if expected and expected.kind and seen.cause_kind and seen.cause_kind != expected.kind:
        return _fail(Reason.WRONG_CAUSE, f"The analysis says {seen.cause_kind} instead of {expected.kind}.")
    after = journal.steady_states.after
    if until is Until.RECOVERY and (after is None or not after.steady_state_met):
        return _fail(Reason.DEVIATED, "Closed as recovered, but the steady state does not hold.")
    if not journal.rollbacks or not all(run.ok for run in journal.rollbacks):
        return _fail(Reason.CLEAN_UP_FAILED, "The fault could not be taken back; it ends when its time is up.")
    for name, took_s, limit_s in (("TTD", seen.ttd_s, spec.limits.ttd_s), ("TTR", seen.ttr_s, spec.limits.ttr_s)):
        if took_s is not None and took_s > limit_s:
            return _fail(Reason.TOO_SLOW, f"{name} was {took_s:.0f} s, and may be {limit_s:.0f} s.")
    return None


def _abort(reason: Reason, note: str) -> Verdict:
    return Verdict(decision=Decision.ABORT, reason=reason, note=note)


def _fail(reason: Reason, note: str) -> Verdict:
    return Verdict(decision=Decision.FAIL, reason=reason, note=note)

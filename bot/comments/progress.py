"""Where an incident stands: a headline and the reader's next step per stage, the timeline, the verification."""

from collections.abc import Mapping
from datetime import timedelta

from agents.incident import Incident, Stage, Verification
from agents.markdown import escape
from bot.comments.evidence import MAX_NAME
from bot.comments.fix import command
from bot.comments.markup import clock, code_cell, duration, milliseconds, number, paragraphs, plural, sha, table
from telemetry.model import Health, SliReport, SliWindow

MAX_ENTRIES = 60
MAX_NOTE = 500
MAX_REPORTS = 12
IDLE = "Nothing to do for you right now"
ANALYSING = f"{IDLE}: the analysis follows here."
PREPARING = ("Preparing a fix", f"{IDLE}: a pull request follows, if the rules here allow it.")
MERGING = ("Approved, merging", f"{IDLE}: {{pull}} is merged as soon as GitHub allows it.")
RECOVERED = ("Recovered, writing it up", f"{IDLE}: the post-mortem follows.")
PROOF = "this closes once telemetry shows that the fix works, and the fix is reverted if it does not."

STATES: Mapping[Stage, tuple[str, str]] = {
    Stage.AWAITING_INFO: ("Waiting to hear which service this is about", "Comment with the name of the service."),
    Stage.OPENING: ("Checking that the fault still holds", ANALYSING),
    Stage.OBSERVING: ("Checking that the fault still holds", ANALYSING),
    Stage.RECALLING: ("Looking for the cause", ANALYSING),
    Stage.ORIENTING: ("Looking for the cause", ANALYSING),
    Stage.DECIDING: PREPARING,
    Stage.ACTING: PREPARING,
    Stage.PROPOSING: PREPARING,
    Stage.AWAITING_APPROVAL: (
        "Waiting for approval",
        "Review {pull}, then comment `{command}`, or `/reject` with a reason.",
    ),
    Stage.APPROVED: MERGING,
    Stage.MERGING: MERGING,
    Stage.VERIFYING: ("Merged, verifying in telemetry", f"{IDLE}: {PROOF}"),
    Stage.REVERTING: ("The fix did not help, taking it back", f"{IDLE}: a pull request that reverts it follows."),
    Stage.LEARNING: RECOVERED,
    Stage.EVOLVING: RECOVERED,
    Stage.RESOLVED: ("Resolved", "Read the post-mortem below, and say there what it has missed."),
    Stage.ESCALATED: ("Handed over to people", "{undo}Please take over, and close this issue when it is over."),
    Stage.DISMISSED: ("Closed without a fix", "Nothing to do. Should the fault come back, a new issue is opened."),
}
"""Headline and next step of every stage; a test holds it complete."""


def state(incident: Incident) -> tuple[str, str]:
    """Return the headline of the incident's stage, and what the reader can do next."""
    pull = f"#{incident.pull_request.number}" if incident.pull_request else "the pull request"
    headline, step = STATES[incident.stage]
    return headline, step.format(pull=pull, undo=_undo(incident), command=command(incident.plan))


def _undo(incident: Incident) -> str:
    pull = incident.revert_pull_request
    return f"Review #{pull.number}, which takes the fix back. " if pull else ""


def facts(incident: Incident) -> str:
    """Return service, severity and how long it has lasted, in one line."""
    until = incident.clock.resolved or (incident.timeline[-1].at if incident.timeline else incident.clock.detected)
    service = escape(incident.service, MAX_NAME) if incident.service else "service unknown"
    lasted = duration(until - incident.clock.onset)
    return f"{service} · severity **{incident.severity}** · {lasted} since the onset at {clock(incident.clock.onset)}"


def last_note(incident: Incident) -> str:
    """Return the newest conclusion; once it is over, that of the recovery."""
    entries = incident.timeline
    if incident.stage in {Stage.EVOLVING, Stage.RESOLVED}:
        entries = tuple(entry for entry in entries if entry.stage is Stage.LEARNING) or entries
    return escape(entries[-1].note, MAX_NOTE) if entries else ""


def timeline(incident: Incident) -> str:
    """Return when which agent came to what, and how long after the entry before it."""
    entries = incident.timeline
    first = max(len(entries) - MAX_ENTRIES, 0)
    befores = [incident.clock.onset, *(entry.at for entry in entries)]
    rows = [
        (
            f"{entry.at:%H:%M:%S}",
            f"+{duration(max(entry.at - before, timedelta()))}",
            entry.agent,
            entry.stage.replace("_", " "),
            escape(entry.note, MAX_NOTE),
        )
        for before, entry in list(zip(befores, entries, strict=False))[first:]
    ]
    text = table(("time (UTC)", "after", "agent", "then", "what"), rows)
    return f"The first {plural(first, 'entry', 'entries')} left out.\n\n{text}" if first else text


def verification(incident: Incident) -> str:
    """Return how far the proof has come, empty before the merge."""
    merge, check = incident.merge, incident.verification
    if merge is None:
        return ""
    if check is None or check.deployed_at is None:
        wait = f"Merged as {sha(merge.sha)}. Waiting until telemetry shows a version of the service that holds it."
        return paragraphs("### Verification", wait)
    deployed = f"{sha(check.deployed_revision)} was deployed" if check.deployed_revision else "It was deployed"
    healthy = min(check.healthy_windows, check.windows)
    done = (
        f"Merged as {sha(merge.sha)}; {deployed} at {clock(check.deployed_at)}. Healthy for "
        f"**{healthy} of {plural(check.windows, 'window')}** of {check.window_s} s in a row."
    )
    return paragraphs("### Verification", done, reports(check))


def reports(check: Verification) -> str:
    """Return the newest window of each watched series."""
    rows = [_report(report) for report in check.reports[:MAX_REPORTS]]
    return table(("service", "operation", "newest window", "failed", "p95", "verdict"), rows) if rows else ""


def _report(report: SliReport) -> tuple[str, ...]:
    name, operation = escape(report.key.service, MAX_NAME), code_cell(report.key.operation, MAX_NAME)
    if not report.windows:
        return name, operation, "none", "", "", "no data yet"
    window = report.windows[-1]
    verdict = "pool is saturated" if report.saturated else window.health.replace("_", " ")
    return name, operation, _stretch(window), _failed(window), milliseconds(window.p95_ms), verdict


def _stretch(window: SliWindow) -> str:
    return f"{window.start:%H:%M:%S} to {window.end:%H:%M:%S}"


def _failed(window: SliWindow) -> str:
    if window.health is Health.NO_DATA and not window.requests:
        return "no requests"
    return f"{number(window.errors)} of {number(window.requests)}"

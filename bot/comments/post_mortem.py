"""The post-mortem: impact, cause, fix, proof and times, and what is still not known."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from agents.diagnosis import Verdict
from agents.incident import Incident, Stage
from agents.markdown import code, escape
from agents.plan import RaiseLimit, RevertCommit
from bot.comments.evidence import MAX_NAME, impact, root_red
from bot.comments.fix import approved
from bot.comments.markup import details, duration, milliseconds, moment, number, paragraphs, plural, sha, table
from bot.comments.progress import timeline
from bot.comments.rca import MAX_SENTENCE, commit_link
from bot.comments.sticky import Section, fitted
from bot.comments.words import capitalised, remedy
from telemetry.model import RedEvidence, SignatureEvidence, SliReport, Stretch

LONGEST_WAIT_SHARE = 0.5
GROWN = 1.5


def post_mortem(incident: Incident) -> str:
    """Return the post-mortem of a resolved incident, with nothing in it that was not observed."""
    return fitted(
        [
            Section(f"## Post-mortem: {escape(incident.title, 200)}"),
            Section(_impact(incident)),
            Section(_cause(incident)),
            Section(_fix(incident)),
            Section(_proof(incident)),
            Section(_times(incident)),
            Section(_lessons(incident)),
            Section(_unknown(incident)),
            Section(details(f"Timeline ({plural(len(incident.timeline), 'entry', 'entries')})", timeline(incident)), 1),
            Section(
                "**Next:** add below what this has missed. The fix is remembered for the next incident of this kind."
            ),
        ]
    )


def _impact(incident: Incident) -> str:
    began, stopped = incident.clock.onset, incident.clock.mitigated
    until = f"until {moment(stopped)} ({duration(stopped - began)})" if stopped else "until an unknown time"
    what = f": {impact(incident.signal, past=True)}." if incident.signal else "."
    return f"**Impact.** From {moment(began)} {until}{what}"


def _cause(incident: Incident) -> str:
    diagnosis = incident.diagnosis
    if diagnosis is None:
        return "**Root cause.** It was not determined."
    text = f"**Root cause** ({diagnosis.verdict}). {escape(capitalised(diagnosis.summary), MAX_SENTENCE)}"
    suspect = diagnosis.suspect
    if suspect is None:
        return text
    return f"{text} Suspect change: {commit_link(incident, suspect.sha)} “{escape(suspect.title, 200)}”."


def _fix(incident: Incident) -> str:
    if incident.remedy is None or incident.merge is None:
        return "**Fix.** None was made here."
    pull = f" in #{incident.pull_request.number}" if incident.pull_request else ""
    merged = f"merged as {commit_link(incident, incident.merge.sha)} at {moment(incident.merge.at)}"
    memory = " It came from memory, and was approved and verified anew." if incident.recalled else ""
    text = f"**Fix.** {capitalised(remedy(incident.remedy))}{pull}, {merged}. {approved(incident)}{memory}"
    return text.rstrip()


def _proof(incident: Incident) -> str:
    check = incident.verification
    if check is None or check.deployed_at is None:
        return ""
    revision = sha(check.deployed_revision) if check.deployed_revision else "a version without a revision"
    said = (
        f"**Verification.** Telemetry showed {revision} at {moment(check.deployed_at)}. Since then every series that "
        f"broke was healthy for {plural(check.healthy_windows, 'window')} of {check.window_s} s in a row."
    )
    return paragraphs(said, _compared(incident, check.reports))


def _compared(incident: Incident, reports: Iterable[SliReport]) -> str:
    """Return each series before the fault, during it and after the fix."""
    items = incident.signal.evidence.items if incident.signal else ()
    known = {(item.service, item.operation): item for item in items if isinstance(item, RedEvidence)}
    rows = [
        (escape(report.key.service, MAX_NAME), code(report.key.operation, MAX_NAME).replace("|", "¦"), *cells)
        for report in reports
        if (cells := _cells(known.get((report.key.service, report.key.operation)), report))
    ]
    header = ("service", "operation", "failed before", "during", "after", "p95 before", "during", "after")
    return table(header, rows) if rows else ""


def _cells(item: RedEvidence | None, report: SliReport) -> tuple[str, ...]:
    if item is None or not report.windows:
        return ()
    stretches = (item.before, item.after, report.windows[-1])
    failed = [f"{number(found.errors)} of {number(found.requests)}" for found in stretches]
    return (*failed, *(milliseconds(found.p95_ms) for found in stretches))


def _times(incident: Incident) -> str:
    times = incident.clock
    rows = [
        ("**TTD**, time to detect", "onset to detection", _span(times.onset, times.detected)),
        ("**TTA**, time to acknowledge", "detection to first owner", _span(times.detected, times.owned)),
        ("**TTM**, time to mitigate", "onset to impact stopped", _span(times.onset, times.mitigated)),
        ("**TTR**, time to recover", "onset to verified recovery", _span(times.onset, times.resolved)),
    ]
    return table(("", "from … to", "length"), rows)


def _span(start: datetime, end: datetime | None) -> str:
    return duration(end - start) if end else "not known"


def _lessons(incident: Incident) -> str:
    said = [*_of_the_remedy(incident), *_of_the_wait(incident)]
    return paragraphs("### Lessons", "\n".join(f"- {line}" for line in said)) if said else ""


def _of_the_remedy(incident: Incident) -> list[str]:
    match incident.remedy:
        case RaiseLimit() as found:
            return _of_the_limit(found)
        case RevertCommit() as found:
            return _of_the_revert(found, incident)
        case None:
            return []


def _of_the_limit(found: RaiseLimit) -> list[str]:
    room = found.maximum - found.target
    left = f"it can be raised by {number(room)} more" if room else "it cannot be raised any more"
    now = f"{code(found.path)} is now {found.target} of at most {found.maximum}, so {left} when traffic grows again"
    return [f"{now}. Deriving it from load, or an alert on its use, would come before the next fault."]


def _of_the_revert(found: RevertCommit, incident: Incident) -> list[str]:
    error = next(_errors(incident), None)
    at = f", reproducing {code(error.error_type, 100)} in {code(error.frames[0].path, 200)}" if error else ""
    return [f"Whoever brings {sha(found.sha)} back should first add a test that fails without this revert{at}."]


def _errors(incident: Incident) -> Iterator[SignatureEvidence]:
    items = incident.signal.evidence.items if incident.signal else ()
    service = incident.remedy.service if incident.remedy else ""
    return (
        item
        for item in items
        if isinstance(item, SignatureEvidence) and item.service == service and item.frames and item.is_new
    )


def _of_the_wait(incident: Incident) -> list[str]:
    """Return what took longest, where one wait was more than half of the whole."""
    waits = [
        (later.at - entry.at) for entry, later in pairwise(incident.timeline) if entry.stage is Stage.AWAITING_APPROVAL
    ]
    waited, resolved = sum(waits, timedelta()), incident.clock.resolved
    if resolved is None or waited < LONGEST_WAIT_SHARE * (resolved - incident.clock.onset):
        return []
    whole = duration(resolved - incident.clock.onset)
    return [f"Most of the time, {duration(waited)} of {whole}, went by while the fix waited for approval."]


def _unknown(incident: Incident) -> str:
    said: list[str] = []
    diagnosis = incident.diagnosis
    if diagnosis is None or diagnosis.verdict is not Verdict.CONFIRMED:
        said.append("The cause is the best explanation of the evidence; it was not confirmed independently.")
    if diagnosis is not None and diagnosis.suspect is None and isinstance(incident.remedy, RaiseLimit):
        said.append(_why_then(incident))
    if incident.clock.mitigated is None:
        said.append("When exactly users stopped noticing it.")
    return paragraphs("### What is not known", "\n".join(f"- {line}" for line in said)) if said else ""


def _why_then(incident: Incident) -> str:
    """Return what is open about a limit that was reached: why traffic grew, or what else came first."""
    item = root_red(incident.signal) if incident.signal else None
    if incident.signal is not None and item is not None and item.before.requests:
        before = item.before.requests / _seconds(incident.signal.evidence.normal)
        during = item.after.requests / _seconds(incident.signal.evidence.fault)
        if during > GROWN * before:
            rates = f"{before:.1f} to {during:.1f} requests a second"
            return (
                f"Why traffic grew from {rates}, {during / before:.1f} times what it was, when the limit was reached."
            )
    return "Why the limit was reached just then: no change in this repository was found that explains it."


def _seconds(stretch: Stretch) -> float:
    return max((stretch.end - stretch.start).total_seconds(), 1.0)

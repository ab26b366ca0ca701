"""Texts of a change: commit message, pull request, merge title."""

import textwrap
from typing import assert_never

from agents.incident import Incident
from agents.markdown import plain
from agents.plan import Plan, RaiseLimit, RevertCommit
from bot.comments.evidence import evidence_table
from bot.comments.fix import approval, diff, reasons
from bot.comments.markup import details, plural
from bot.comments.rca import analysis
from bot.comments.sticky import Section, fitted
from bot.comments.words import capitalised, remedy

MAX_SUBJECT = 120
WRAP = 72


def commit_message(incident: Incident, plan: Plan) -> str:
    """Return the commit's message: a conventional subject, why, and what it belongs to.

    It never says "fixes": the issue is closed by telemetry, not by a merge.
    """
    said = capitalised(plain(incident.diagnosis.summary, 1000)) if incident.diagnosis else ""
    why = textwrap.fill(said, WRAP, break_long_words=False)
    trailers = "\n".join(
        filter(None, (f"Refs: #{incident.issue}" if incident.issue else "", f"SRE-Space-Plan: {plan.id}"))
    )
    return "\n\n".join(part for part in (subject(plan), why, trailers) if part)


def subject(plan: Plan) -> str:
    """Return a commit subject in the form of Conventional Commits."""
    scope = plain(plan.remedy.service, 50)
    match plan.remedy:
        case RaiseLimit():
            return plain(f"fix({scope}): {plan.title[:1].lower()}{plan.title[1:]}", MAX_SUBJECT)
        case RevertCommit():
            return plain(f"revert({scope}): {plan.remedy.title}", MAX_SUBJECT)
        case _:
            assert_never(plan.remedy)


def merge_title(incident: Incident, number: int) -> str:
    """Return the merge commit's title."""
    title = subject(incident.plan) if incident.plan else plain(incident.title, MAX_SUBJECT)
    return f"{title} (#{number})"


def pull_request(incident: Incident, plan: Plan, *, revert: bool) -> str:
    """Return the pull request's text: why, what, what shows it, and how to approve."""
    return fitted(
        [
            Section(_lead(incident, revert=revert)),
            Section(f"**What it does:** {capitalised(remedy(plan.remedy))}."),
            Section(_how(incident, revert=revert)),
            Section("" if revert else analysis(incident)),
            Section("" if revert else _evidence(incident), 2),
            Section(diff(plan), 3),
            Section("" if revert else _reasons(incident), 1),
            Section(f"<sub>SRE-Space · incident {incident.id} · plan {plan.id}</sub>"),
        ]
    )


def _lead(incident: Incident, *, revert: bool) -> str:
    where = f" for incident #{incident.issue}" if incident.issue else ""
    if revert:
        return (
            f"This takes back the fix{where}: it was merged and deployed, and telemetry did not show a recovery. "
            "It returns the files to what they were before."
        )
    return (
        f"This is the fix{where}. The issue stays open when it is merged; it closes once telemetry shows that the "
        "deployed fix works."
    )


def _how(incident: Incident, *, revert: bool) -> str:
    if revert:
        return "**Next:** a person who maintains this service reviews and merges this."
    return approval(incident)


def _evidence(incident: Incident) -> str:
    if incident.signal is None or not incident.signal.evidence.items:
        return ""
    items = incident.signal.evidence.items
    return details(f"Evidence ({plural(len(items), 'item')})", evidence_table(incident.signal.evidence))


def _reasons(incident: Incident) -> str:
    return details("What the rules say about this fix", reasons(incident.decision)) if incident.decision else ""

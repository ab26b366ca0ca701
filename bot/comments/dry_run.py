"""The comment of a dry run: the pull request that would have been opened, and what people can do now."""

from agents.incident import Incident
from agents.markdown import code, escape
from agents.plan import Plan
from bot.comments.fix import diff
from bot.comments.markup import paragraphs, plural
from bot.comments.sticky import Section, fitted
from bot.comments.words import capitalised, remedy

MAX_FILES = 20
MAX_PATH = 200
MAX_LABEL = 100


def dry_run(incident: Incident, plan: Plan, label: str) -> str:
    """Return what would have been proposed, who would have had to approve it, and what people can do."""
    risk = incident.decision.reason if incident.decision else f"The risk is {plan.risk}."
    facts = (
        f"**Title:** {escape(plan.title)}",
        f"**What it does:** {capitalised(remedy(plan.remedy))}.",
        f"**Files:** {_files(plan)}",
        f"**Risk and approval:** {escape(risk)}",
    )
    return fitted(
        [
            Section("## Dry run: with `autonomy: propose` I would have opened this pull request"),
            Section(_listed(*facts)),
            Section(diff(plan), 1),
            Section("Nothing was changed in this repository, because its autonomy is `dry-run`. People take over now."),
            Section(paragraphs("### What you can do", _todo(label))),
        ]
    )


def _files(plan: Plan) -> str:
    shown = ", ".join(code(edit.path, MAX_PATH) for edit in plan.edits[:MAX_FILES])
    more = len(plan.edits) - MAX_FILES
    return f"{shown} and {plural(more, 'more file')}" if more > 0 else shown


def _todo(label: str) -> str:
    return _listed(
        "Start from the cause and the evidence in the comment above, and make this change yourself if it helps.",
        "Close this issue when the incident is over.",
        "To have me open such pull requests, set `autonomy: propose` (you merge them) or `autonomy: approve` (I merge "
        "them once they are approved) in `.github/sre-space.yml`. It counts from the next incident on; while telemetry "
        f"still shows this fault, open a new issue with the label {code(label, MAX_LABEL)} that names the service.",
    )


def _listed(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines)

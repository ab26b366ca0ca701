"""Comments of their own: escalation, dry run, the question which service, a configuration problem, flapping."""

from typing import assert_never

from agents.incident import Incident, Stage
from agents.markdown import code, escape
from agents.writes import PostComment, Topic
from bot.comments.dry_run import dry_run
from bot.comments.evidence import MAX_NAME
from bot.comments.markup import fence, paragraphs
from bot.comments.post_mortem import post_mortem
from bot.comments.rca import analysis
from bot.comments.sticky import Section, fitted
from bot.comments.words import capitalised, remedy

MAX_NOTE = 1000
MAX_SERVICES = 50
MAX_PROBLEMS = 20
LISTED_BY = "\n"
"""What separates the services of a question, and the problems of a configuration, in a write's note."""

REOPENED = (
    "I do not take up an incident again that has ended: its evidence is no longer current.\n\n"
    "**Next:** if the fault is back, telemetry opens a new issue by itself. You can also open one and name the service "
    "in it."
)

EXAMPLE = """\
version: 1
services:
  quote:                        # service.name in your telemetry
    paths: ["services/quote/**"]
    knobs:                      # numbers that may be raised to end an incident
      - name: database pool
        file: services/quote/settings.yaml
        path: database.pool_size
        maximum: 20
        remedies: [db_pool_exhaustion]
"""


def notice(incident: Incident, write: PostComment, label: str) -> str:
    """Return the text of a comment of its own; `label` is that of incidents."""
    match write.topic:
        case Topic.POST_MORTEM:
            return post_mortem(incident)
        case Topic.ESCALATION:
            return escalation(incident, write.note)
        case Topic.DRY_RUN:
            plan = incident.dry_run_plan
            return dry_run(incident, plan, label) if plan else escalation(incident, write.note)
        case Topic.ASK_SERVICE:
            return ask_service(write.note.split(LISTED_BY))
        case Topic.CONFIG_PROBLEM:
            return config_problem(write.note.split(LISTED_BY), waits=incident.stage is Stage.AWAITING_INFO)
        case Topic.FLAPPING:
            return flapping(write.note)
        case _:
            assert_never(write.topic)


def escalation(incident: Incident, note: str) -> str:
    """Return why people are needed, what is known, what was done, and what they can do."""
    return fitted(
        [
            Section(paragraphs("## This incident needs a person", escape(note, MAX_NOTE))),
            Section(paragraphs("### What was done", _done(incident))),
            Section(analysis(incident) or "No cause was determined.", 1),
            Section(paragraphs("### What you can do", "\n".join(f"- {line}" for line in _todo(incident)))),
        ]
    )


def _done(incident: Incident) -> str:
    if incident.merge is not None and incident.remedy is not None:
        pull = f" (#{incident.pull_request.number})" if incident.pull_request else ""
        return f"This was merged{pull}: {remedy(incident.remedy)}."
    if incident.pull_request is not None:
        return f"A fix was proposed in #{incident.pull_request.number}. It was not merged."
    return "Nothing was changed in this repository."


def _todo(incident: Incident) -> list[str]:
    steps: list[str] = []
    undo = incident.revert_pull_request
    if undo is not None:
        steps.append(f"Review and merge #{undo.number}, which takes the fix back.")
    elif incident.revert_plan is not None:
        steps.append("A pull request that takes the fix back follows: review and merge it.")
    elif incident.pull_request is not None and incident.merge is None:
        steps.append(f"Look at #{incident.pull_request.number}: merge it if it helps, close it if it does not.")
    elif incident.merge is None and incident.remedy is not None:
        steps.append(f"Consider this by hand: {capitalised(remedy(incident.remedy))}.")
    steps.append("Start from the evidence in the comment above.")
    steps.append("Close this issue when the incident is over.")
    return steps


def ask_service(services: list[str]) -> str:
    """Return the question which service an issue is about, naming those that the configuration knows."""
    names = [code(name, MAX_NAME) for name in services[:MAX_SERVICES] if name]
    if not names:
        return "I cannot tell which service this is about. Please comment with its `service.name`."
    example = services[0]
    return (
        "I cannot tell which service this is about, so I cannot look at its telemetry.\n\n"
        f"**Next:** comment with one of these names, for example “it is {code(example, MAX_NAME)}”: {', '.join(names)}."
    )


def config_problem(problems: list[str], *, waits: bool) -> str:
    """Return what is wrong with the repository's configuration and how to put it right."""
    listed = "\n".join(f"- {escape(problem, 500)}" for problem in problems[:MAX_PROBLEMS] if problem)
    then = "comment here with the name of the service, and I go on" if waits else "from then on I use it"
    return paragraphs(
        "I cannot act on this incident, because `.github/sre-space.yml` on the default branch cannot be used:",
        listed,
        f"**Next:** put it right on the default branch; {then}. A minimal file looks like this:",
        fence(EXAMPLE, "yaml"),
    )


def flapping(note: str) -> str:
    """Return that the fault came back."""
    return paragraphs(
        f"The fault is back. {escape(note, MAX_NOTE)}".rstrip(),
        "**Next:** please look at it: what was done so far did not last. Nothing is changed without an approval.",
    )

"""What a run of `mode: respond` came to: outputs and job summary."""

from collections.abc import Iterable, Mapping

from agents.incident import Incident, Stage
from agents.markdown import escape
from bot.comments.progress import STATES
from bot.db.rows import InboxRow, Status
from telemetry.model import Frozen

NOTHING = "nothing-to-do"


class Outcome(Frozen):
    """The incidents that the run touched, the one of its event first, and what became of the event."""

    incidents: tuple[Incident, ...] = ()
    handled: bool = True
    problem: str = ""

    @property
    def outputs(self) -> dict[str, object]:
        """Return the step's outputs."""
        incident = self.incidents[0] if self.incidents else None
        pull = incident.pull_request if incident else None
        return {
            "decision": "pass" if self.handled else "fail",
            "reason-code": incident.stage.replace("_", "-") if incident else NOTHING,
            "incident": incident.issue if incident else None,
            "pull-request": pull.number if pull else None,
            "ttd": _seconds(incident, "detected"),
            "ttr": _seconds(incident, "resolved"),
        }


def _seconds(incident: Incident | None, moment: str) -> str | None:
    """Return how long after the onset a moment of the incident's clock was; None when it is not known."""
    if incident is None or incident.signal is None:
        return None
    at = getattr(incident.clock, moment)
    return None if at is None else f"{max((at - incident.clock.onset).total_seconds(), 0):.0f}"


def outcome_of(row: InboxRow | None, before: Mapping[str, Incident], after: Iterable[Incident]) -> Outcome:
    """Return what changed between two looks at all incidents; `row` is the event's place in the inbox."""
    changed = [incident for incident in after if before.get(incident.id) != incident]
    if row is None:
        return Outcome(incidents=tuple(changed))
    numbers = {row.number}
    changed.sort(key=lambda incident: not numbers & _numbers(incident))
    problem = "" if row.status is Status.DONE else row.note or "it has not been handled yet"
    return Outcome(incidents=tuple(changed), handled=row.status is Status.DONE, problem=problem)


def _numbers(incident: Incident) -> set[int | None]:
    pulls = (incident.pull_request, incident.revert_pull_request)
    return {incident.issue, *(pull.number for pull in pulls if pull is not None)}


def summary(outcome: Outcome, event: str) -> str:
    """Return the job summary as Markdown."""
    head = f"## SRE-Space: `{event}`"
    if not outcome.handled:
        return f"{head}\n\n❌ The event was not handled: {escape(outcome.problem, 500)}"
    if not outcome.incidents:
        return f"{head}\n\nNothing to do: the event changed no incident."
    rows = [_row(incident) for incident in outcome.incidents]
    return "\n".join([head, "", "| incident | stage | pull request | last |", "| --- | --- | --- | --- |", *rows])


def _row(incident: Incident) -> str:
    pull = incident.pull_request
    issue = f"[#{incident.issue}]({incident.issue_url})" if incident.issue else incident.id
    linked = f"[#{pull.number}]({pull.url})" if pull else ""
    last = escape(incident.timeline[-1].note, 300) if incident.timeline else ""
    waits = "" if incident.stage is Stage.RESOLVED else f" ({STATES[incident.stage][0]})"
    return f"| {issue} | {incident.stage.replace('_', ' ')}{waits} | {linked} | {last} |"

"""Issues: people open incidents with the label, complete them, close and reopen them."""

from typing import assert_never

from agents.incident import TERMINAL, Agent, Incident, Stage
from agents.writes import ClosePull, Reply
from bot.comments import REOPENED
from bot.events import IssuesEvent
from bot.handlers.deps import Deps
from bot.handlers.naming import settle_service
from bot.handlers.reported import reported, texts_of

CLOSING = frozenset({Stage.LEARNING, Stage.EVOLVING})


async def handle(incident: Incident | None, event: IssuesEvent, deps: Deps) -> Incident | None:
    """Return the incident after what a person did to its issue; None while it is no incident."""
    if not event.by_person or _is_another(incident, event):
        return incident
    match event.action:
        case "opened" | "labeled":
            return incident or await reported(event, deps)
        case "edited":
            if incident is None or incident.stage is not Stage.AWAITING_INFO:
                return incident
            return await settle_service(incident, event.sender.login, texts_of(event), deps)
        case "closed":
            return _closed(incident, event, deps) if incident else None
        case "reopened":
            return _reopened(incident, event) if incident else None
        case _:
            assert_never(event.action)


def _is_another(incident: Incident | None, event: IssuesEvent) -> bool:
    """Return whether this is not the incident's issue but one that bears a copy of its mark."""
    return incident is not None and incident.issue not in {None, event.issue.number}


def _closed(incident: Incident, event: IssuesEvent, deps: Deps) -> Incident:
    if incident.stage in TERMINAL | CLOSING:
        return incident
    known = {"issue": event.issue.number, "issue_url": event.issue.html_url}  # not stored yet while it is being opened
    ended = incident.move(Stage.DISMISSED, Agent.HUMAN, f"{event.sender.login} closed the issue.", deps.now(), **known)
    if incident.pull_request is None or incident.plan is None or incident.merge is not None:
        return ended
    number, branch = incident.pull_request.number, incident.plan.branch
    return ended.send(ClosePull(key=f"close_pull:{number}", number=number, branch=branch))


def _reopened(incident: Incident, event: IssuesEvent) -> Incident:
    if incident.stage not in TERMINAL:
        return incident
    key = f"reopened:{event.issue.updated_at:%Y%m%dT%H%M%S}"
    return incident.send(Reply(key=key, issue=event.issue.number, comment_id=incident.comment_id or 0, text=REOPENED))

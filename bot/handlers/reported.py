"""An incident that a person reports as an issue."""

from agents.incident import Clock, Incident, Stage
from bot.events import IssuesEvent
from bot.handlers.deps import Deps, id_of_issue
from bot.handlers.naming import settle_service
from telemetry.model import Severity

MAX_BODY = 4000


async def reported(event: IssuesEvent, deps: Deps) -> Incident | None:
    """Return the incident that an open issue with the incident label is; None for one that is none, or is ours."""
    issue = event.issue
    labelled = {event.label.name} if event.action == "labeled" and event.label else {row.name for row in issue.labels}
    ours = issue.author.type == "Bot" and deps.markers.find(issue.body or "") is not None
    if deps.label not in labelled or ours or issue.state != "open":
        return None
    incident = Incident(
        id=id_of_issue(event.repository.id, issue.number),
        repo=event.repo,
        issue=issue.number,
        issue_url=issue.html_url,
        opened_by=issue.author.login,
        title=issue.title,
        body=(issue.body or "")[:MAX_BODY],
        stage=Stage.OPENING,
        severity=Severity.MEDIUM,
        clock=Clock(onset=issue.created_at, detected=issue.created_at),
    )
    return await settle_service(incident, issue.author.login, texts_of(event), deps)


def texts_of(event: IssuesEvent) -> tuple[str, str]:
    """Return where an issue may name its service, title first."""
    return event.issue.title, event.issue.body or ""

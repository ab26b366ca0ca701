"""Comments of people on an incident's issue or pull request: commands, and the name of a service."""

from agents.commands import Invocation, parse
from agents.human import answer
from agents.incident import Incident, Stage
from bot.events import GHOST, IssueCommentEvent
from bot.handlers.deps import Deps
from bot.handlers.naming import settle_service


async def handle(incident: Incident | None, event: IssueCommentEvent, deps: Deps) -> Incident | None:
    """Return the incident after a new comment; comments of Apps and bots are ignored, our own included."""
    author = event.comment.user or GHOST
    if incident is None or not event.by_person or author.type != "User":
        return incident
    body = event.comment.body or ""
    command = parse(body)
    if command is not None:
        invocation = Invocation(
            command=command,
            comment_id=event.comment.id,
            issue=event.issue.number,
            login=author.login,
            user_id=author.id,
            author_type=author.type,
            at=event.comment.created_at,
        )
        return await answer(incident, invocation, deps.forge, deps.now)
    if incident.stage is Stage.AWAITING_INFO and event.issue.number == incident.issue:
        return await settle_service(incident, author.login, (body,), deps)
    return incident

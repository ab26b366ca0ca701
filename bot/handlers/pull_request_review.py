"""Reviews: a native approving review counts like `/approve` on the commit that it was given on."""

from agents.human import review
from agents.incident import Incident
from bot.events import GHOST, PullRequestReviewEvent
from bot.handlers.deps import Deps

APPROVED = "approved"


async def handle(incident: Incident | None, event: PullRequestReviewEvent, deps: Deps) -> Incident | None:
    """Return the incident after a review; only approving ones of people on its pull request are looked at."""
    reviewer = event.review.user or GHOST
    if incident is None or incident.pull_request is None or not event.by_person or reviewer.type != "User":
        return incident
    if event.review.state.lower() != APPROVED or event.pull_request.number != incident.pull_request.number:
        return incident
    return await review(incident, reviewer.login, reviewer.id, event.review.commit_id, deps.forge, deps.now)

"""Reviews and requested reviewers of pull requests."""

from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from infra.sandbox.github import events
from infra.sandbox.github.api.deps import ActorDep, SiteDep, page_of, reply, repository_guard
from infra.sandbox.github.api.pulls import found
from infra.sandbox.github.domain import issues, merges, pulls
from infra.sandbox.github.errors import not_found, unprocessable
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.records.work import Review
from infra.sandbox.github.site import Site
from infra.sandbox.github.views import accounts
from infra.sandbox.github.views import pulls as views

router = APIRouter(prefix="/repos/{owner}/{repo}/pulls/{number}", dependencies=[Depends(repository_guard)])


class NewReview(BaseModel):
    """A review; without an event it stays pending."""

    body: str = ""
    event: Literal["APPROVE", "REQUEST_CHANGES", "COMMENT"] | None = None
    commit_id: str | None = None


class Dismissal(BaseModel):
    """Why a review no longer counts."""

    message: str


class Reviewers(BaseModel):
    """Logins asked to review."""

    reviewers: list[str] = []
    team_reviewers: list[str] = []


@router.get("/reviews")
async def list_reviews(number: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The reviews, oldest first; pending ones are seen by their author alone."""
    require(site, actor, "read", "pull_requests")
    issue, _ = found(site, number)
    rows = site.store.reviews.where(lambda row: row.number == issue.number)
    rows = [row for row in rows if row.submitted_at or row.user_id == actor.user.id]
    return page_of(request, rows, lambda row: views.review(site, row))


@router.post("/reviews")
async def create_review(number: int, body: NewReview, site: SiteDep, actor: ActorDep) -> Response:
    """A new review."""
    require(site, actor, "write", "pull_requests", role=Role.READ)
    issue, _ = found(site, number)
    if body.commit_id and await site.git.object_type(body.commit_id) != "commit":
        raise unprocessable("The commit_id is not part of the pull request")
    row = pulls.review(site, actor, issue, body.event, body.body, body.commit_id)
    await merges.merge_waiting(site)
    return reply(views.review(site, row))


def _review(site: Site, number: int, review_id: int) -> Review:
    row = site.store.reviews.find(review_id)
    if row is None or row.number != number:
        raise not_found()
    return row


@router.get("/reviews/{review_id}")
async def get_review(number: int, review_id: int, site: SiteDep, actor: ActorDep) -> Response:
    """One review."""
    require(site, actor, "read", "pull_requests")
    return reply(views.review(site, _review(site, number, review_id)))


@router.put("/reviews/{review_id}/dismissals")
async def dismiss_review(number: int, review_id: int, body: Dismissal, site: SiteDep, actor: ActorDep) -> Response:
    """The review, dismissed."""
    require(site, actor, "write", "pull_requests")
    issue, _ = found(site, number)
    row = pulls.dismiss(site, actor, issue, _review(site, number, review_id), body.message)
    return reply(views.review(site, row))


@router.get("/requested_reviewers")
async def list_requested(number: int, site: SiteDep, actor: ActorDep) -> Response:
    """Who was asked and has not answered."""
    require(site, actor, "read", "pull_requests")
    _, pull = found(site, number)
    people = [accounts.user_by_id(site, person) for person in pull.requested_reviewers]
    return reply({"users": people, "teams": []})


@router.post("/requested_reviewers")
async def request_reviewers(number: int, body: Reviewers, site: SiteDep, actor: ActorDep) -> Response:
    """The pull request with more reviewers asked."""
    require(site, actor, "write", "pull_requests", role=Role.TRIAGE)
    issue, pull = found(site, number)
    people = [site.store.user(login) for login in body.reviewers]
    asked = [person for person in people if person and person.role is not Role.NONE]
    if body.team_reviewers or len(asked) < len(people):
        raise unprocessable("Reviews may only be requested from collaborators.")
    if issue.user_id in {person.id for person in asked}:
        raise unprocessable("Review cannot be requested from pull request author.")
    for person in asked:
        if person.id in pull.requested_reviewers:
            continue
        pull = pull.model_copy(update={"requested_reviewers": [*pull.requested_reviewers, person.id]})
        issue = issues.save(site, issue, pull=pull)
        view = accounts.user(site, person)
        issues.note(
            site,
            actor,
            issue,
            "review_requested",
            requested_reviewer=view,
            review_requester=accounts.user(site, actor.user),
        )
        await events.pull_event(site, actor, "review_requested", issue, pull, requested_reviewer=view)
    return reply(views.pull_simple(site, issue, pull), 201)

"""Comments on issues and pull requests."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, StringConstraints

from infra.sandbox.github import clock
from infra.sandbox.github.api.deps import ActorDep, SiteDep, page_of, reply, repository_guard
from infra.sandbox.github.domain import issues
from infra.sandbox.github.errors import ApiError
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.records.work import Comment
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import issues as views

router = APIRouter(prefix="/repos/{owner}/{repo}/issues", dependencies=[Depends(repository_guard)])

NEEDED = ("issues", "pull_requests")


class CommentBody(BaseModel):
    """The text of a comment."""

    body: Annotated[str, StringConstraints(min_length=1, max_length=65_536)]


def _recent(rows: list[Comment], since: str | None) -> list[Comment]:
    if not since:
        return rows
    try:
        earliest = clock.iso(clock.parse(since))
    except ValueError as error:
        raise ApiError(422, "Invalid request.\n\nsince is not a valid date-time.") from error
    return [row for row in rows if row.updated_at >= earliest]


@router.get("/comments")
async def all_comments(
    request: Request, site: SiteDep, actor: ActorDep, since: str | None = None, direction: str = "asc"
) -> Response:
    """The comments of all issues."""
    require(site, actor, "read", *NEEDED)
    rows = _recent(list(site.store.comments), since)
    return page_of(request, rows[::-1] if direction == "desc" else rows, lambda row: views.comment(site, row))


@router.get("/{number}/comments")
async def list_comments(
    number: int, request: Request, site: SiteDep, actor: ActorDep, since: str | None = None
) -> Response:
    """The comments of one issue, oldest first."""
    require(site, actor, "read", *NEEDED)
    issue = site.store.issue(number)
    rows = _recent(site.store.comments.where(lambda row: row.number == issue.number), since)
    return page_of(request, rows, lambda row: views.comment(site, row))


@router.post("/{number}/comments")
async def create_comment(number: int, body: CommentBody, site: SiteDep, actor: ActorDep) -> Response:
    """A new comment."""
    require(site, actor, "write", *NEEDED, role=Role.READ)
    row = issues.comment(site, actor, site.store.issue(number), body.body)
    view = views.comment(site, row)
    return reply(view, 201, {"Location": view["url"]})


@router.get("/comments/{comment_id}")
async def get_comment(comment_id: int, site: SiteDep, actor: ActorDep) -> Response:
    """One comment."""
    require(site, actor, "read", *NEEDED)
    return reply(views.comment(site, site.store.comments.get(comment_id)))


def _require_own(site: Site, actor: Actor, row: Comment) -> None:
    own = row.user_id == actor.user.id
    require(site, actor, "write", *NEEDED, role=Role.READ if own else Role.WRITE)


@router.patch("/comments/{comment_id}")
async def edit_comment(comment_id: int, body: CommentBody, site: SiteDep, actor: ActorDep) -> Response:
    """The comment with another text."""
    row = site.store.comments.get(comment_id)
    _require_own(site, actor, row)
    return reply(views.comment(site, issues.edit_comment(site, actor, row, body.body)))


@router.delete("/comments/{comment_id}")
async def delete_comment(comment_id: int, site: SiteDep, actor: ActorDep) -> Response:
    """Removes the comment."""
    row = site.store.comments.get(comment_id)
    _require_own(site, actor, row)
    issues.delete_comment(site, actor, row)
    return Response(status_code=204)

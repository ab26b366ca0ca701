"""Reactions on issues and comments."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from infra.sandbox.github import clock
from infra.sandbox.github.api.deps import ActorDep, SiteDep, page_of, reply, repository_guard
from infra.sandbox.github.errors import not_found
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.records.work import Reaction, ReactionContent
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import issues as views

router = APIRouter(prefix="/repos/{owner}/{repo}/issues", dependencies=[Depends(repository_guard)])

NEEDED = ("issues", "pull_requests")


class NewReaction(BaseModel):
    """One reaction."""

    content: ReactionContent


def _subject(site: Site, kind: str, number: int) -> str:
    if kind == "comment":
        return f"comment:{site.store.comments.get(number).id}"
    return f"issue:{site.store.issue(number).number}"


def _list(request: Request, site: Site, actor: Actor, subject: str) -> Response:
    require(site, actor, "read", *NEEDED)
    rows = site.store.reactions.where(lambda row: row.subject == subject)
    wanted = request.query_params.get("content")
    rows = [row for row in rows if wanted in {None, row.content}]
    return page_of(request, rows, lambda row: views.reaction(site, row))


def _add(site: Site, actor: Actor, subject: str, content: ReactionContent) -> Response:
    """201 for a new reaction, 200 for one that the actor had already left."""
    require(site, actor, "write", *NEEDED, role=Role.READ)
    wanted = (subject, actor.user.id, content)
    old = site.store.reactions.first(lambda row: (row.subject, row.user_id, row.content) == wanted)
    if old:
        return reply(views.reaction(site, old))
    row = Reaction(
        id=site.store.next_id(),
        subject=subject,
        user_id=actor.user.id,
        content=content,
        created_at=clock.now_iso(),
    )
    return reply(views.reaction(site, site.store.reactions.put(row)), 201)


def _remove(site: Site, actor: Actor, subject: str, reaction_id: int) -> Response:
    require(site, actor, "write", *NEEDED, role=Role.READ)
    row = site.store.reactions.find(reaction_id)
    if row is None or row.subject != subject or row.user_id != actor.user.id:
        raise not_found()
    site.store.reactions.delete(row.id)
    return Response(status_code=204)


@router.get("/comments/{comment_id}/reactions")
async def comment_reactions(comment_id: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The reactions on a comment."""
    return _list(request, site, actor, _subject(site, "comment", comment_id))


@router.post("/comments/{comment_id}/reactions")
async def react_to_comment(comment_id: int, body: NewReaction, site: SiteDep, actor: ActorDep) -> Response:
    """A reaction on a comment."""
    return _add(site, actor, _subject(site, "comment", comment_id), body.content)


@router.delete("/comments/{comment_id}/reactions/{reaction_id}")
async def unreact_comment(comment_id: int, reaction_id: int, site: SiteDep, actor: ActorDep) -> Response:
    """Takes a reaction on a comment back."""
    return _remove(site, actor, _subject(site, "comment", comment_id), reaction_id)


@router.get("/{number}/reactions")
async def issue_reactions(number: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The reactions on an issue."""
    return _list(request, site, actor, _subject(site, "issue", number))


@router.post("/{number}/reactions")
async def react_to_issue(number: int, body: NewReaction, site: SiteDep, actor: ActorDep) -> Response:
    """A reaction on an issue."""
    return _add(site, actor, _subject(site, "issue", number), body.content)


@router.delete("/{number}/reactions/{reaction_id}")
async def unreact_issue(number: int, reaction_id: int, site: SiteDep, actor: ActorDep) -> Response:
    """Takes a reaction on an issue back."""
    return _remove(site, actor, _subject(site, "issue", number), reaction_id)

"""Pull requests."""

from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from infra.sandbox.github.api.deps import ActorDep, SiteDep, cut, page_of, reply, repository_guard
from infra.sandbox.github.domain import issues, merges, pulls
from infra.sandbox.github.errors import ApiError, invalid, not_found, unprocessable
from infra.sandbox.github.git import history
from infra.sandbox.github.mergeability import UNKNOWN, compared
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.records.work import Issue, Pull
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import commits
from infra.sandbox.github.views import pulls as views

router = APIRouter(prefix="/repos/{owner}/{repo}/pulls", dependencies=[Depends(repository_guard)])


class NewPull(BaseModel):
    """A new pull request."""

    title: str | None = None
    head: str
    base: str
    body: str | None = None
    draft: bool = False
    issue: int | None = None
    maintainer_can_modify: bool | None = None


class PullChange(BaseModel):
    """A change of a pull request; only what is sent is changed."""

    title: str | None = None
    body: str | None = None
    state: Literal["open", "closed"] | None = None
    base: str | None = None
    maintainer_can_modify: bool | None = None


class MergeOrder(BaseModel):
    """How to merge, and which head is expected."""

    sha: str | None = None
    merge_method: Literal["merge", "squash", "rebase"] = "merge"
    commit_title: str | None = None
    commit_message: str | None = None


def found(site: Site, number: int) -> tuple[Issue, Pull]:
    """The pull request of that number with its issue; raises 404."""
    issue = site.store.pull(number)
    if issue.pull is None:
        raise not_found()
    return issue, issue.pull


def _wanted(site: Site, issue: Issue, state: str, head: str, base: str) -> bool:
    pull = issue.pull
    if pull is None or state not in {"all", issue.state}:
        return False
    label = f"{site.owner.login}:{pull.head_ref}"
    matches_head = ":" not in head or head.lower() == label.lower()
    return matches_head and base in {"", pull.base_ref}


@router.get("")
async def list_pulls(
    request: Request,
    site: SiteDep,
    actor: ActorDep,
    state: Literal["open", "closed", "all"] = "open",
    head: str = "",
    base: str = "",
    sort: str = "created",
    direction: Literal["asc", "desc"] | None = None,
) -> Response:
    """Pull requests; a head without its owner is ignored, as on GitHub."""
    require(site, actor, "read", "pull_requests")
    rows = site.store.issues.where(lambda row: _wanted(site, row, state, head, base))
    if sort == "updated":
        rows.sort(key=lambda row: (row.updated_at, row.id))
    if (direction or ("desc" if sort == "created" else "asc")) == "desc":
        rows.reverse()
    return page_of(request, rows, lambda row: views.pull_simple(site, *found(site, row.number)))


@router.post("")
async def create_pull(body: NewPull, site: SiteDep, actor: ActorDep) -> Response:
    """A new pull request."""
    require(site, actor, "write", "pull_requests", role=Role.WRITE)
    if body.issue is not None:
        raise ApiError(501, "The sandbox does not turn issues into pull requests.")
    if not (body.title or "").strip():
        raise invalid("PullRequest", "title", "missing_field")
    issue = await pulls.open_pull(site, actor, body.title or "", body.body, body.head, body.base, draft=body.draft)
    view = await views.pull_full(site, *found(site, issue.number))
    return reply(view, 201, {"Location": view["url"]})


@router.get("/{number}")
async def get_pull(number: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """One pull request; its diff when the Accept header asks for that."""
    require(site, actor, "read", "pull_requests")
    issue, pull = found(site, number)
    if "diff" in request.headers.get("accept", "") or "patch" in request.headers.get("accept", ""):
        base = await history.merge_base(site.git, pull.base_sha, pull.head_sha)
        text = await history.diff(site.git, base, pull.head_sha)
        return Response(text, media_type="text/plain; charset=utf-8")
    pending = site.faults.take("mergeable-unknown", request.url.path)
    return reply(await views.pull_full(site, issue, pull, UNKNOWN if pending else None))


@router.patch("/{number}")
async def change_pull(number: int, body: PullChange, site: SiteDep, actor: ActorDep) -> Response:
    """The pull request after the change."""
    issue, pull = found(site, number)
    own = issue.user_id == actor.user.id
    require(site, actor, "write", "pull_requests", role=Role.READ if own else Role.TRIAGE)
    text = body.body if "body" in body.model_fields_set else issue.body
    issue = await issues.edit(site, actor, issue, body.title or issue.title, text)
    if body.base and body.base != pull.base_ref:
        if issue.state == "closed":
            raise unprocessable("Cannot change the base branch of a closed pull request.")
        issue = await pulls.change_base(site, actor, issue, pull, body.base)
    if body.state == "closed":
        await issues.close(site, actor, issue)
    elif body.state == "open" and issue.state == "closed":
        await pulls.reopen(site, actor, *found(site, number))
    return reply(await views.pull_full(site, *found(site, number)))


@router.get("/{number}/files")
async def list_files(number: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The changed files with their patches."""
    require(site, actor, "read", "pull_requests")
    _, pull = found(site, number)
    _, changes = await compared(site, pull)
    return page_of(request, changes, lambda row: commits.diff_entry(site, pull.head_sha, row))


@router.get("/{number}/commits")
async def list_commits(number: int, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The commits, oldest first."""
    require(site, actor, "read", "pull_requests")
    shas, _ = await compared(site, found(site, number)[1])
    chosen, headers = cut(request, shas)
    rows = await history.commits(site.git, chosen)
    return reply([commits.commit(site, row) for row in rows], headers=headers)


@router.get("/{number}/merge")
async def is_merged(number: int, site: SiteDep, actor: ActorDep) -> Response:
    """204 when merged, else 404."""
    require(site, actor, "read", "pull_requests")
    if found(site, number)[1].merged_at is None:
        raise not_found()
    return Response(status_code=204)


@router.put("/{number}/merge")
async def merge(number: int, site: SiteDep, actor: ActorDep, body: MergeOrder | None = None) -> Response:
    """Merges, if the head is the expected one and nothing forbids it."""
    require_merge(site, actor)
    order = body or MergeOrder()
    issue, _ = found(site, number)
    sha = await merges.merge_pull(
        site, actor, issue, order.merge_method, order.sha, order.commit_title, order.commit_message
    )
    return reply({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def require_merge(site: Site, actor: Actor) -> None:
    """Raises unless the actor may merge, which writes contents."""
    if actor.permissions is None:
        require(site, actor, "write", "pull_requests")
    else:
        require(site, actor, "write", "contents")

"""Git refs: reading, making, moving and deleting them."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from infra.sandbox.github.api.deps import ActorDep, SiteDep, page_of, reply, repository_guard
from infra.sandbox.github.domain import pushes
from infra.sandbox.github.errors import not_found, unprocessable
from infra.sandbox.github.git import history
from infra.sandbox.github.git.model import ZERO_SHA
from infra.sandbox.github.mergeability import protection_of
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views.commits import git_ref

router = APIRouter(prefix="/repos/{owner}/{repo}/git", dependencies=[Depends(repository_guard)])


class NewRef(BaseModel):
    """A ref and what it points at."""

    ref: str
    sha: str


class RefMove(BaseModel):
    """Where to move a ref, by force or only forwards."""

    sha: str
    force: bool = False


async def _view(site: Site, ref: str, sha: str) -> dict[str, object]:
    return git_ref(site, ref, sha, await site.git.object_type(sha) or "commit")


@router.get("/ref/{ref:path}")
async def get_ref(ref: str, site: SiteDep, actor: ActorDep) -> Response:
    """One ref, named without `refs/`."""
    require(site, actor, "read", "contents")
    name = f"refs/{ref}"
    sha = (await site.git.refs(name)).get(name)
    if sha is None:
        raise not_found()
    return reply(await _view(site, name, sha))


@router.get("/matching-refs/{ref:path}")
async def matching_refs(ref: str, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """All refs that begin so, which may be none."""
    require(site, actor, "read", "contents")
    rows = [await _view(site, name, sha) for name, sha in (await site.git.refs(f"refs/{ref}")).items()]
    return page_of(request, rows, lambda row: row)


@router.post("/refs")
async def create_ref(body: NewRef, site: SiteDep, actor: ActorDep) -> Response:
    """A new ref; 422 when it exists or its object does not."""
    require(site, actor, "write", "contents")
    if not body.ref.startswith("refs/") or not await site.git.valid_ref(body.ref):
        raise unprocessable("Reference name must be a valid name that starts with 'refs/'")
    if await site.git.object_type(body.sha) is None:
        raise unprocessable("Object does not exist")
    if body.ref in await site.git.refs(body.ref):
        raise unprocessable("Reference already exists")
    await site.git.update_ref(body.ref, body.sha, ZERO_SHA)
    await pushes.moved(site, actor, body.ref, ZERO_SHA, body.sha)
    view = await _view(site, body.ref, body.sha)
    return reply(view, 201, {"Location": str(view["url"])})


@router.patch("/refs/{ref:path}")
async def move_ref(ref: str, body: RefMove, site: SiteDep, actor: ActorDep) -> Response:
    """The ref at its new place; 422 unless that is forwards or forced."""
    require(site, actor, "write", "contents")
    name = f"refs/{ref}"
    before = (await site.git.refs(name)).get(name)
    if before is None:
        raise unprocessable("Reference does not exist")
    if await site.git.object_type(body.sha) is None:
        raise unprocessable("Object does not exist")
    _require_unprotected(site, actor, name)
    if not body.force and not await history.is_ancestor(site.git, before, body.sha):
        raise unprocessable("Update is not a fast forward")
    if before != body.sha:
        await site.git.update_ref(name, body.sha, before)
        await pushes.moved(site, actor, name, before, body.sha)
    return reply(await _view(site, name, body.sha))


@router.delete("/refs/{ref:path}")
async def delete_ref(ref: str, site: SiteDep, actor: ActorDep) -> Response:
    """Deletes the ref; its open pull requests are closed."""
    require(site, actor, "write", "contents")
    name = f"refs/{ref}"
    before = (await site.git.refs(name)).get(name)
    if before is None:
        raise unprocessable("Reference does not exist")
    if name == f"refs/heads/{site.repository.default_branch}":
        raise unprocessable("Cannot delete the default branch")
    _require_unprotected(site, actor, name)
    await site.git.update_ref(name, ZERO_SHA, before)
    await pushes.moved(site, actor, name, before, ZERO_SHA)
    return Response(status_code=204)


def _require_unprotected(site: Site, actor: Actor, ref: str) -> None:
    rule = protection_of(site, ref.removeprefix("refs/heads/"))
    if rule and (rule.enforce_admins or actor.user.role is not Role.ADMIN):
        raise unprocessable("Cannot update this protected branch.")

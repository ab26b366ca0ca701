"""Files at a ref, and commits of single files."""

import base64
import binascii

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from infra.sandbox.github.api.deps import ActorDep, SiteDep, reply, repository_guard
from infra.sandbox.github.domain import commits as making
from infra.sandbox.github.domain.commits import Person
from infra.sandbox.github.errors import ApiError, not_found, unprocessable
from infra.sandbox.github.git.model import CommitObject, TreeEntry
from infra.sandbox.github.permissions import require
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import commits as views

router = APIRouter(prefix="/repos/{owner}/{repo}", dependencies=[Depends(repository_guard)])

MAX_INLINE_BYTES = 1_000_000


class FileRemoval(BaseModel):
    """Taking a file away."""

    model_config = ConfigDict(extra="ignore")

    message: str
    sha: str | None = None
    branch: str | None = None
    author: Person | None = None
    committer: Person | None = None


class FileChange(FileRemoval):
    """A new content for a file."""

    content: str


async def _commit_of(site: Site, ref: str) -> str:
    sha = await site.git.resolve(ref)
    if sha is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    return sha


@router.get("/readme")
async def get_readme(request: Request, site: SiteDep, actor: ActorDep, ref: str = "") -> Response:
    """The README at the root."""
    return await get_contents(request, site, actor, "README.md", ref)


@router.get("/contents")
@router.get("/contents/{path:path}")
async def get_contents(request: Request, site: SiteDep, actor: ActorDep, path: str = "", ref: str = "") -> Response:
    """A file with its content, or the entries of a folder."""
    require(site, actor, "read", "contents")
    ref = ref or site.repository.default_branch
    commit = await _commit_of(site, ref)
    clean = path.strip("/")
    if not clean:
        return await _folder(site, commit, None, ref)
    entry = await site.git.entry(commit, clean)
    if entry is None:
        raise not_found()
    if entry.type == "tree":
        return await _folder(site, commit, entry, ref)
    content = await site.git.blob(entry.sha) if entry.type == "blob" else b""
    if "raw" in request.headers.get("accept", ""):
        return Response(content, media_type="application/vnd.github.raw; charset=utf-8")
    view = views.content_file(site, entry, ref, content)
    if len(content) > MAX_INLINE_BYTES:
        view |= {"content": "", "encoding": "none"}
    return reply(view)


async def _folder(site: Site, commit: str, folder: TreeEntry | None, ref: str) -> Response:
    prefix = f"{folder.path}/" if folder else ""
    entries = await site.git.tree(folder.sha if folder else commit)
    named = [TreeEntry(row.mode, row.type, row.sha, prefix + row.path, row.size) for row in entries]
    return reply([views.content_entry(site, entry, ref) for entry in named])


@router.put("/contents/{path:path}")
async def put_contents(path: str, body: FileChange, site: SiteDep, actor: ActorDep) -> Response:
    """Commits a file: 201 when it is new, 200 when it was there."""
    require(site, actor, "write", "contents")
    making.check_path(path)
    try:
        content = base64.b64decode("".join(body.content.split()), validate=True)
    except binascii.Error as error:
        raise unprocessable("content is not valid Base64") from error
    branch, tip, old = await _target(site, path, body)
    if old and body.sha is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if body.sha and (old is None or old.sha != body.sha):
        raise ApiError(409, f"{path} does not match {body.sha}")
    mode = old.mode if old else "100644"
    sha = await site.git.write_blob(content)
    commit = await _commit(site, actor, body, branch, tip, (path, mode, sha))
    entry = TreeEntry(mode, "blob", sha, path, len(content))
    view = {"content": views.content_entry(site, entry, branch), "commit": views.git_commit(site, commit)}
    return reply(view, 200 if old else 201)


@router.delete("/contents/{path:path}")
async def delete_contents(path: str, body: FileRemoval, site: SiteDep, actor: ActorDep) -> Response:
    """Commits the removal of a file."""
    require(site, actor, "write", "contents")
    branch, tip, old = await _target(site, path, body)
    if old is None:
        raise not_found()
    if body.sha is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if body.sha != old.sha:
        raise ApiError(409, f"{path} does not match {body.sha}")
    commit = await _commit(site, actor, body, branch, tip, (path, old.mode, None))
    return reply({"content": None, "commit": views.git_commit(site, commit)})


async def _target(site: Site, path: str, body: FileRemoval) -> tuple[str, str, TreeEntry | None]:
    branch = body.branch or site.repository.default_branch
    tip = await site.git.resolve(f"refs/heads/{branch}")
    if tip is None:
        raise ApiError(404, f"Branch {branch} not found")
    return branch, tip, await site.git.entry(tip, path)


async def _commit(
    site: Site, actor: Actor, body: FileRemoval, branch: str, tip: str, change: tuple[str, str, str | None]
) -> CommitObject:
    making.require_unprotected(site, actor, branch)
    tree = await site.git.write_tree(tip, [change])
    commit = await making.create(site, actor, tree, [tip], body.message, author=body.author, committer=body.committer)
    await making.advance(site, actor, branch, tip, commit.sha)
    return commit

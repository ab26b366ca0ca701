"""Git's own objects: blobs, trees, commits."""

import base64
import binascii
from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from infra.sandbox.github.api.deps import ActorDep, SiteDep, reply, repository_guard
from infra.sandbox.github.domain import commits as making
from infra.sandbox.github.domain.commits import Person
from infra.sandbox.github.errors import GitError, not_found, unprocessable
from infra.sandbox.github.permissions import require
from infra.sandbox.github.site import Site
from infra.sandbox.github.views import commits as views
from infra.sandbox.github.views.accounts import node_id

router = APIRouter(prefix="/repos/{owner}/{repo}/git", dependencies=[Depends(repository_guard)])

OBJECT_OF_MODE = {"040000": "tree", "160000": "commit"}


class NewBlob(BaseModel):
    """The content of a blob."""

    content: str
    encoding: Literal["utf-8", "base64"] = "utf-8"


class TreeItem(BaseModel):
    """One change of a tree: by sha, by content, or (sha null) its removal."""

    path: str
    mode: Literal["100644", "100755", "040000", "160000", "120000"] = "100644"
    type: Literal["blob", "tree", "commit"] | None = None
    sha: str | None = None
    content: str | None = None


class NewTree(BaseModel):
    """A tree, made from a base or from nothing."""

    tree: list[TreeItem] = Field(min_length=1)
    base_tree: str | None = None


class NewCommit(BaseModel):
    """A commit of a tree."""

    message: str
    tree: str
    parents: list[str] = []
    author: Person | None = None
    committer: Person | None = None
    signature: str | None = None


@router.get("/blobs/{sha}")
async def get_blob(sha: str, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """A blob in base64, or raw when asked for."""
    require(site, actor, "read", "contents")
    if await site.git.object_type(sha) != "blob":
        raise not_found()
    content = await site.git.blob(sha)
    if "raw" in request.headers.get("accept", ""):
        return Response(content, media_type="application/vnd.github.raw; charset=utf-8")
    return reply(
        {
            "sha": sha,
            "node_id": node_id("B", int(sha[:7], 16)),
            "size": len(content),
            "url": f"{site.repo_api}/git/blobs/{sha}",
            "content": base64.encodebytes(content).decode(),
            "encoding": "base64",
        }
    )


@router.post("/blobs")
async def create_blob(body: NewBlob, site: SiteDep, actor: ActorDep) -> Response:
    """A new blob."""
    require(site, actor, "write", "contents")
    content = body.content.encode()
    if body.encoding == "base64":
        try:
            content = base64.b64decode("".join(body.content.split()), validate=True)
        except binascii.Error as error:
            raise unprocessable("content is not valid Base64") from error
    sha = await site.git.write_blob(content)
    url = f"{site.repo_api}/git/blobs/{sha}"
    return reply({"sha": sha, "url": url}, 201, {"Location": url})


@router.get("/trees/{sha:path}")
async def get_tree(sha: str, site: SiteDep, actor: ActorDep, recursive: str | None = None) -> Response:
    """A tree by its sha, or that of a branch or commit; with all below it when recursive."""
    require(site, actor, "read", "contents")
    tree = await site.git.resolve(sha, "tree")
    if tree is None:
        raise not_found()
    return reply(views.git_tree(site, tree, await site.git.tree(tree, recursive=recursive not in {None, ""})))


@router.post("/trees")
async def create_tree(body: NewTree, site: SiteDep, actor: ActorDep) -> Response:
    """A new tree."""
    require(site, actor, "write", "contents")
    base = None
    if body.base_tree:
        base = await site.git.resolve(body.base_tree, "tree")
        if base is None:
            raise unprocessable("base_tree is not a valid tree oid")
    changes = [await _tree_change(site, item) for item in body.tree]
    try:
        tree = await site.git.write_tree(base, changes)
    except GitError as error:
        raise unprocessable("tree.path contains a malformed path component") from error
    view = views.git_tree(site, tree, await site.git.tree(tree))
    return reply(view, 201, {"Location": view["url"]})


async def _tree_change(site: Site, item: TreeItem) -> tuple[str, str, str | None]:
    making.check_path(item.path)
    if item.content is not None:
        if item.sha is not None:
            raise unprocessable("Must supply either tree.sha or tree.content, not both")
        return item.path, item.mode, await site.git.write_blob(item.content.encode())
    if item.sha is None:
        if "sha" not in item.model_fields_set:
            raise unprocessable("Must supply tree.sha or tree.content")
        return item.path, item.mode, None
    wanted = OBJECT_OF_MODE.get(item.mode, "blob")
    if wanted != "commit" and await site.git.object_type(item.sha) != wanted:
        raise unprocessable(f"tree.sha {item.sha} is not a valid {wanted}")
    return item.path, item.mode, item.sha


@router.get("/commits/{sha}")
async def get_commit(sha: str, site: SiteDep, actor: ActorDep) -> Response:
    """A commit as git stores it."""
    require(site, actor, "read", "contents")
    if await site.git.object_type(sha) != "commit":
        raise not_found()
    return reply(views.git_commit(site, await site.git.commit(sha)))


@router.post("/commits")
async def create_commit(body: NewCommit, site: SiteDep, actor: ActorDep) -> Response:
    """A new commit, signed when an App makes it in nobody else's name."""
    require(site, actor, "write", "contents")
    if await site.git.object_type(body.tree) != "tree":
        raise unprocessable("Tree SHA does not exist")
    for parent in body.parents:
        if await site.git.object_type(parent) != "commit":
            raise unprocessable("Parent SHA does not exist or is not a commit object")
    commit = await making.create(site, actor, body.tree, body.parents, body.message, body.author, body.committer)
    view = views.git_commit(site, commit)
    return reply(view, 201, {"Location": view["url"]})

"""`git clone`, `fetch` and `push` over HTTP: the smart protocol, version 0 to 2."""

import asyncio
import zlib
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from infra.sandbox.github.api.deps import SiteDep
from infra.sandbox.github.auth import authenticate, see_repository
from infra.sandbox.github.domain import pushes
from infra.sandbox.github.errors import ApiError
from infra.sandbox.github.git.model import ZERO_SHA
from infra.sandbox.github.permissions import may
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.site import Actor, Site

router = APIRouter(prefix="/{owner}/{name}.git")

READ, WRITE = "git-upload-pack", "git-receive-pack"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"'}
NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
MAX_BODY_BYTES = 100_000_000


async def git_actor(owner: str, name: str, request: Request, site: SiteDep) -> Actor:
    """Who speaks git; a missing or bad token is asked for again, as git expects."""
    try:
        actor = authenticate(site, request.headers.get("authorization"))
    except ApiError as error:
        raise ApiError(401, "Repository not found.", headers=CHALLENGE) from error
    see_repository(site, actor, owner, name)
    return actor


GitActor = Annotated[Actor, Depends(git_actor)]


def _require(site: Site, actor: Actor, service: str) -> None:
    if service not in {READ, WRITE}:
        raise ApiError(403, "Please upgrade your git client.")
    if not may(site, actor, "read" if service == READ else "write", "contents"):
        raise ApiError(403, f"Permission to {site.full_name}.git denied to {actor.user.login}.")


def _environment(site: Site, actor: Actor, request: Request) -> dict[str, str]:
    guarded = [
        f"refs/heads/{row.branch}"
        for row in site.store.protections
        if row.enforce_admins or actor.user.role is not Role.ADMIN
    ]
    protocol = request.headers.get("git-protocol", "")
    return {"SANDBOX_PROTECTED": " ".join(guarded), "GIT_PROTOCOL": protocol}


@router.get("/info/refs")
async def advertise(service: str, request: Request, site: SiteDep, actor: GitActor) -> Response:
    """The refs that the service offers."""
    _require(site, actor, service)
    command = service.removeprefix("git-")
    result = await site.git.run(
        command, "--stateless-rpc", "--advertise-refs", ".", env=_environment(site, actor, request)
    )
    line = f"# service={service}\n"
    head = f"{len(line) + 4:04x}{line}0000".encode()
    return Response(head + result.stdout, 200, NO_CACHE, f"application/x-{service}-advertisement")


@router.post("/git-upload-pack")
async def upload_pack(request: Request, site: SiteDep, actor: GitActor) -> Response:
    """Objects for a clone or fetch."""
    _require(site, actor, READ)
    body = await _body(request)
    environment = _environment(site, actor, request)
    result = await site.git.run("upload-pack", "--stateless-rpc", ".", stdin=body, env=environment, ok=(0, 1, 128))
    return Response(result.stdout, 200, NO_CACHE, f"application/x-{READ}-result")


@router.post("/git-receive-pack")
async def receive_pack(request: Request, site: SiteDep, actor: GitActor) -> Response:
    """Takes a push, and then does what a push sets off."""
    _require(site, actor, WRITE)
    body = await _body(request)
    environment = _environment(site, actor, request)
    lock: asyncio.Lock = request.app.state.write_lock
    async with lock:
        before = await site.git.refs("refs/")
        result = await site.git.run("receive-pack", "--stateless-rpc", ".", stdin=body, env=environment, ok=(0, 1, 128))
        after = await site.git.refs("refs/")
        for ref in sorted({*before, *after}):
            old, new = before.get(ref, ZERO_SHA), after.get(ref, ZERO_SHA)
            if old != new:
                await pushes.moved(site, actor, ref, old, new)
    return Response(result.stdout, 200, NO_CACHE, f"application/x-{WRITE}-result")


async def _body(request: Request) -> bytes:
    body = await request.body()
    if request.headers.get("content-encoding") in {"gzip", "x-gzip"}:
        try:
            body = zlib.decompressobj(wbits=31).decompress(body, MAX_BODY_BYTES)
        except zlib.error as error:
            raise ApiError(400, "Body is not gzip.") from error
    return body

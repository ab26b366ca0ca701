"""The control API under `/_sandbox`: faults, protection, roles, the clock, the webhook URL, the request log."""

import ipaddress
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict

from infra.sandbox.github import clock
from infra.sandbox.github.api.deps import SiteDep, reply
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.faults import Fault
from infra.sandbox.github.records.accounts import Role, Team
from infra.sandbox.github.records.checks import Protection
from infra.sandbox.github.requestlog import RequestLog


async def loopback_only(request: Request) -> None:
    """Raises 403 for callers from another machine and for pages of other sites."""
    host = request.client.host if request.client else ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local or "origin" in request.headers:
        raise ApiError(403, "The control API answers to this machine only.")


router = APIRouter(prefix="/_sandbox", dependencies=[Depends(loopback_only)])


class ProtectionOrder(BaseModel):
    """What a branch shall demand from now on."""

    model_config = ConfigDict(extra="forbid")

    branch: str
    required_checks: list[str] = []
    strict: bool = False
    required_approvals: int = 0
    dismiss_stale_reviews: bool = False
    enforce_admins: bool = False


class WebhookUrl(BaseModel):
    """Where webhooks go from now on."""

    url: str | None


class ClockOrder(BaseModel):
    """Where the clock stands still from now on; null lets it run."""

    now: AwareDatetime | None


class RoleChange(BaseModel):
    """What a user may do from now on."""

    login: str
    role: Role


class TeamChange(BaseModel):
    """Who belongs to a team from now on."""

    slug: str
    members: list[str]


class PermissionChange(BaseModel):
    """What the installation is granted from now on; tokens already given keep their own."""

    permissions: dict[str, str]


class RepositoryChange(BaseModel):
    """Settings of the repository that only its administrators change."""

    model_config = ConfigDict(extra="forbid")

    private: bool | None = None
    allow_merge_commit: bool | None = None
    allow_squash_merge: bool | None = None
    allow_rebase_merge: bool | None = None
    allow_auto_merge: bool | None = None
    delete_branch_on_merge: bool | None = None


@router.get("/faults")
async def list_faults(site: SiteDep) -> Response:
    """The faults still to come."""
    return reply([fault.model_dump() for fault in site.faults.waiting()])


@router.post("/faults")
async def add_fault(body: Fault, site: SiteDep) -> Response:
    """Orders a fault."""
    site.faults.add(body)
    return reply([fault.model_dump() for fault in site.faults.waiting()], 201)


@router.delete("/faults")
async def clear_faults(site: SiteDep) -> Response:
    """Takes all faults back."""
    site.faults.clear()
    return Response(status_code=204)


@router.post("/protection")
async def protect(body: ProtectionOrder, site: SiteDep) -> Response:
    """Protects a branch."""
    old = site.store.protections.first(lambda row: row.branch == body.branch)
    row = Protection(id=old.id if old else site.store.next_id(), **body.model_dump())
    return reply(site.store.protections.put(row).model_dump(), 201)


@router.delete("/protection/{branch:path}")
async def unprotect(branch: str, site: SiteDep) -> Response:
    """Takes a branch's protection away."""
    row = site.store.protections.first(lambda row: row.branch == branch)
    if row is None:
        raise not_found()
    site.store.protections.delete(row.id)
    return Response(status_code=204)


@router.post("/webhook-url")
async def set_webhook_url(body: WebhookUrl, site: SiteDep) -> Response:
    """Points the seeded App's webhook somewhere else."""
    app = next(iter(site.store.apps))
    site.store.apps.put(app.evolve(hook=app.hook.model_copy(update={"url": body.url})))
    return reply({"url": body.url})


@router.post("/clock")
async def set_clock(body: ClockOrder) -> Response:
    """Stops the clock at a moment, or lets it run again."""
    clock.stop_at(body.now)
    return reply({"now": clock.now_iso()})


@router.post("/role")
async def set_role(body: RoleChange, site: SiteDep) -> Response:
    """Gives a user another role, as an administrator would."""
    account = site.store.user(body.login)
    if account is None:
        raise not_found()
    changed = site.store.users.put(account.evolve(role=body.role))
    return reply({"login": changed.login, "role": changed.role})


@router.post("/team")
async def set_team(body: TeamChange, site: SiteDep) -> Response:
    """Makes a team, or gives it other members."""
    people = [site.store.user(login) for login in body.members]
    members = [person.id for person in people if person]
    if len(members) < len(people):
        raise not_found()
    old = site.store.teams.first(lambda row: row.slug == body.slug)
    row = Team(id=old.id if old else site.store.next_id(), slug=body.slug, members=members)
    return reply(site.store.teams.put(row).model_dump())


@router.post("/permissions")
async def set_permissions(body: PermissionChange, site: SiteDep) -> Response:
    """Grants the first installation other permissions."""
    row = next(iter(site.store.installations))
    site.store.installations.put(row.evolve(permissions=body.permissions))
    return reply({"permissions": body.permissions})


@router.post("/repository")
async def set_repository(body: RepositoryChange, site: SiteDep) -> Response:
    """Changes settings of the repository."""
    changes: dict[str, Any] = body.model_dump(exclude_none=True)
    site.store.repositories.put(site.repository.evolve(**changes))
    return reply(site.repository.model_dump())


@router.get("/requests")
async def list_requests(request: Request, since: int = 0) -> Response:
    """What was asked of the API, and how it was answered."""
    log: RequestLog = request.app.state.request_log
    return reply({"total": log.total, "requests": log.since(since)})


@router.delete("/requests")
async def clear_requests(request: Request) -> Response:
    """Forgets the log."""
    log: RequestLog = request.app.state.request_log
    log.clear()
    return Response(status_code=204)


@router.get("/signing-key")
async def signing_key(site: SiteDep) -> Response:
    """The public key with which API commits are signed."""
    return Response(site.git.signer.public_key, media_type="text/plain")


@router.post("/settle")
async def settle(site: SiteDep) -> Response:
    """Answers when every webhook queued so far has been tried."""
    await site.dispatcher.settle()
    return Response(status_code=204)

"""The App itself: its installations, tokens and manifest."""

import secrets
from datetime import timedelta

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from infra.sandbox.github import clock
from infra.sandbox.github.api.deps import ActorDep, SiteDep, actor_of, counted, page_of, reply
from infra.sandbox.github.auth import require_app, require_installation, role_of
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.permissions import Level, allows
from infra.sandbox.github.records.accounts import App, Installation, Token
from infra.sandbox.github.site import Site
from infra.sandbox.github.views import accounts
from infra.sandbox.github.views.repos import repository

router = APIRouter()

TOKEN_LIFE = timedelta(hours=1)


class TokenRequest(BaseModel):
    """What an installation token is to be narrowed to."""

    repositories: list[str] | None = None
    repository_ids: list[int] | None = None
    permissions: dict[str, Level] | None = None


@router.get("/app")
async def get_app(site: SiteDep, actor: ActorDep) -> Response:
    """The App of the JWT."""
    app = require_app(actor)
    count = len(_installations(site, app))
    return reply({**accounts.app(site, app), "installations_count": count})


@router.get("/apps/{slug}", dependencies=[Depends(actor_of)])
async def get_app_by_slug(slug: str, site: SiteDep) -> Response:
    """A public App."""
    app = site.store.apps.first(lambda row: row.slug == slug)
    if app is None:
        raise not_found()
    return reply(accounts.app(site, app))


def _installations(site: Site, app: App) -> list[Installation]:
    return site.store.installations.where(lambda row: row.app_id == app.id)


@router.get("/app/installations")
async def list_installations(request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The installations of the App."""
    rows = _installations(site, require_app(actor))
    return page_of(request, rows, lambda row: accounts.installation(site, row))


@router.get("/app/installations/{installation_id}")
async def get_installation(installation_id: int, site: SiteDep, actor: ActorDep) -> Response:
    """One installation of the App."""
    return reply(accounts.installation(site, _own(site, require_app(actor), installation_id)))


def _own(site: Site, app: App, installation_id: int) -> Installation:
    row = site.store.installations.find(installation_id)
    if row is None or row.app_id != app.id:
        raise not_found()
    return row


@router.get("/repos/{owner}/{repo}/installation")
async def repository_installation(owner: str, repo: str, site: SiteDep, actor: ActorDep) -> Response:
    """The App's installation on the repository."""
    app = require_app(actor)
    if f"{owner}/{repo}".lower() != site.full_name.lower():
        raise not_found()
    return _only(site, app)


@router.get("/orgs/{owner}/installation")
@router.get("/users/{owner}/installation")
async def owner_installation(owner: str, site: SiteDep, actor: ActorDep) -> Response:
    """The App's installation on an account."""
    app = require_app(actor)
    if owner.lower() != site.owner.login.lower():
        raise not_found()
    return _only(site, app)


def _only(site: Site, app: App) -> Response:
    rows = _installations(site, app)
    if not rows:
        raise not_found()
    return reply(accounts.installation(site, rows[0]))


@router.post("/app/installations/{installation_id}/access_tokens")
async def create_token(
    installation_id: int, site: SiteDep, actor: ActorDep, body: TokenRequest | None = None
) -> Response:
    """A token of the installation, valid for an hour, narrowed as asked."""
    installation = _own(site, require_app(actor), installation_id)
    wanted = body or TokenRequest()
    _check_repositories(site, wanted)
    permissions = _narrowed(installation, wanted.permissions)
    token = site.store.tokens.put(
        Token(
            id=site.store.next_id(),
            value=f"ghs_{secrets.token_urlsafe(27)}",
            installation_id=installation.id,
            permissions=permissions,
            expires_at=clock.iso(clock.real_now() + TOKEN_LIFE),
        )
    )
    _forget_expired(site)
    selected = wanted.repositories is not None or wanted.repository_ids is not None
    view = {
        "token": token.value,
        "expires_at": token.expires_at,
        "permissions": permissions,
        "repository_selection": "selected" if selected else "all",
    }
    return reply({**view, "repositories": [repository(site)]} if selected else view, 201)


def _check_repositories(site: Site, wanted: TokenRequest) -> None:
    names = {name.lower() for name in wanted.repositories or []}
    if names - {site.repository.name.lower()} or set(wanted.repository_ids or []) - {site.repository.id}:
        raise ApiError(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )


def _narrowed(installation: Installation, wanted: dict[str, Level] | None) -> dict[str, str]:
    if not wanted:
        return installation.permissions
    for name, level in wanted.items():
        if not allows(installation.permissions.get(name), level):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    return {"metadata": "read", **wanted}


def _forget_expired(site: Site) -> None:
    now = clock.iso(clock.real_now())
    for row in site.store.tokens.where(lambda token: (token.expires_at or now) < now):
        site.store.tokens.delete(row.id)


@router.delete("/installation/token")
async def revoke_token(request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """Revokes the very token that asks."""
    require_installation(site, actor)
    value = request.headers["authorization"].split(None, 1)[1].strip()
    for row in site.store.tokens.where(lambda token: token.value == value):
        site.store.tokens.delete(row.id)
    return Response(status_code=204)


@router.get("/installation/repositories")
async def installation_repositories(request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """What the installation can reach."""
    require_installation(site, actor)
    role = role_of(site, actor)
    view = {**repository(site), "permissions": accounts.role_permissions(role)}
    return counted(request, "repositories", [view], lambda row: row, repository_selection="all")

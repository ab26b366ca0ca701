"""Teams and members of the organisation, as far as approvals by team need them."""

from fastapi import APIRouter, Request, Response

from infra.sandbox.github.api.deps import ActorDep, SiteDep, page_of, reply
from infra.sandbox.github.errors import not_found
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import Role, Team, User
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views.accounts import user

router = APIRouter(prefix="/orgs/{org}")

MEMBER = "MEMBER"


def _organisation(site: Site, actor: Actor, org: str) -> None:
    """Raises unless this is the owner and the caller may know its people."""
    if org.lower() != site.owner.login.lower():
        raise not_found()
    if actor.permissions is not None:
        require(site, actor, "read", "members")
    elif actor.is_app or actor.user.association != MEMBER:
        raise not_found()


def _team(site: Site, slug: str) -> Team:
    found = site.store.teams.first(lambda row: row.slug == slug.lower())
    if found is None:
        raise not_found()
    return found


def _member(site: Site, login: str) -> User:
    account = site.store.user(login)
    if account is None or account.association != MEMBER:
        raise not_found()
    return account


@router.get("/members")
async def list_members(org: str, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The members of the organisation."""
    _organisation(site, actor, org)
    rows = site.store.users.where(lambda row: row.association == MEMBER)
    return page_of(request, rows, lambda row: user(site, row))


@router.get("/members/{login}")
async def is_member(org: str, login: str, site: SiteDep, actor: ActorDep) -> Response:
    """204 for a member, else 404."""
    _organisation(site, actor, org)
    _member(site, login)
    return Response(status_code=204)


@router.get("/teams/{slug}/members")
async def team_members(org: str, slug: str, request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """The members of a team."""
    _organisation(site, actor, org)
    rows = [site.store.users.get(member) for member in _team(site, slug).members]
    return page_of(request, rows, lambda row: user(site, row))


@router.get("/teams/{slug}/memberships/{login}")
async def team_membership(org: str, slug: str, login: str, site: SiteDep, actor: ActorDep) -> Response:
    """How a user belongs to a team; 404 when not at all."""
    _organisation(site, actor, org)
    team, account = _team(site, slug), _member(site, login)
    if account.id not in team.members:
        raise not_found()
    url = f"{site.base_url}/organizations/{site.owner.id}/team/{team.id}/memberships/{account.login}"
    role = "maintainer" if account.role is Role.ADMIN else "member"
    return reply({"url": url, "role": role, "state": "active"})

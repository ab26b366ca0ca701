"""Users, rate limits and what belongs to no repository."""

from fastapi import APIRouter, Depends, Request, Response

from infra.sandbox.github.api.deps import ActorDep, SiteDep, actor_of, reply
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.limits import RateLimits, subject_of
from infra.sandbox.github.views import accounts

router = APIRouter()

OTHER_RESOURCES = ("search", "graphql", "integration_manifest")


@router.get("/user")
async def get_self(site: SiteDep, actor: ActorDep) -> Response:
    """The user of the token."""
    if actor.app is not None:
        raise ApiError(403, "Resource not accessible by integration")
    return reply(accounts.private_user(site, actor.user))


@router.get("/users/{login}", dependencies=[Depends(actor_of)])
async def get_user(login: str, site: SiteDep) -> Response:
    """A public account."""
    account = site.store.user(login)
    if account is None:
        raise not_found()
    return reply(accounts.public_user(site, account))


@router.get("/rate_limit")
async def get_rate_limit(request: Request, site: SiteDep) -> Response:
    """What is left of the hour; asking costs nothing."""
    limits: RateLimits = request.app.state.limits
    core = limits.state(subject_of(site, request.headers.get("authorization"))).view()
    resources = dict.fromkeys(("core", *OTHER_RESOURCES), core)
    return reply({"resources": resources, "rate": core})


@router.get("/meta")
async def get_meta() -> Response:
    """What kind of GitHub this is."""
    return reply({"verifiable_password_authentication": False, "installed_version": "3.17.0"})

"""The repository, its people and its branches."""

from fastapi import APIRouter, Depends, Request, Response

from infra.sandbox.github.api.deps import ActorDep, SiteDep, page_of, reply, repository_guard
from infra.sandbox.github.auth import role_of
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.git import history
from infra.sandbox.github.mergeability import protection_of
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.accounts import Role, User
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import accounts, checks, commits
from infra.sandbox.github.views.repos import full_repository

router = APIRouter(prefix="/repos/{owner}/{repo}", dependencies=[Depends(repository_guard)])


@router.get("")
async def get_repository(site: SiteDep, actor: ActorDep) -> Response:
    """The repository."""
    require(site, actor, "read", "metadata")
    return reply(full_repository(site, role_of(site, actor)))


def effective_role(site: Site, account: User) -> Role:
    """What a user can do, given that everyone reads a public repository."""
    return role_of(site, Actor(account))


@router.get("/collaborators/{login}/permission")
async def get_permission(login: str, site: SiteDep, actor: ActorDep) -> Response:
    """The permission of a user, in the old four words and as a role."""
    if actor.app is None and role_of(site, actor).rank < Role.WRITE.rank:
        raise ApiError(403, "Must have push access to view collaborator permission.")
    require(site, actor, "read", "metadata")
    account = site.store.user(login)
    if account is None or account.type == "Organization":
        raise not_found()
    role = effective_role(site, account)
    view = {
        **accounts.user(site, account),
        "permissions": accounts.role_permissions(role),
        "role_name": role.value,
    }
    return reply({"permission": role.legacy, "role_name": role.value, "user": view})


@router.get("/collaborators/{login}")
async def is_collaborator(login: str, site: SiteDep, actor: ActorDep) -> Response:
    """204 for a collaborator, else 404."""
    require(site, actor, "read", "metadata", role=Role.WRITE)
    account = site.store.user(login)
    if account is None or account.role is Role.NONE:
        raise not_found()
    return Response(status_code=204)


@router.get("/collaborators")
async def list_collaborators(request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """Everyone with a role."""
    require(site, actor, "read", "metadata", role=Role.WRITE)
    rows = site.store.users.where(lambda row: row.type == "User" and row.role is not Role.NONE)
    return page_of(
        request,
        rows,
        lambda row: {
            **accounts.user(site, row),
            "permissions": accounts.role_permissions(row.role),
            "role_name": row.role.value,
        },
    )


@router.get("/assignees")
async def list_assignees(request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """Everyone who can be assigned."""
    require(site, actor, "read", "metadata", "issues")
    rows = site.store.users.where(lambda row: row.type == "User" and row.role is not Role.NONE)
    return page_of(request, rows, lambda row: accounts.user(site, row))


@router.get("/branches")
async def list_branches(request: Request, site: SiteDep, actor: ActorDep) -> Response:
    """All branches by name."""
    require(site, actor, "read", "contents")
    rows = [(ref.removeprefix("refs/heads/"), sha) for ref, sha in (await site.git.refs()).items()]
    return page_of(
        request,
        rows,
        lambda row: {
            "name": row[0],
            "commit": {"sha": row[1], "url": f"{site.repo_api}/commits/{row[1]}"},
            "protected": protection_of(site, row[0]) is not None,
        },
    )


@router.get("/branches/{branch:path}/protection")
async def get_protection(branch: str, site: SiteDep, actor: ActorDep) -> Response:
    """What the branch demands; only administrators may read it."""
    require(site, actor, "read", "administration", role=Role.ADMIN)
    if await site.git.resolve(f"refs/heads/{branch}") is None:
        raise ApiError(404, "Branch not found")
    row = protection_of(site, branch)
    if row is None:
        raise ApiError(404, "Branch not protected")
    return reply(checks.protection(site, row))


@router.get("/branches/{branch:path}")
async def get_branch(branch: str, site: SiteDep, actor: ActorDep) -> Response:
    """One branch with its last commit."""
    require(site, actor, "read", "contents")
    sha = await site.git.resolve(f"refs/heads/{branch}")
    if sha is None:
        raise ApiError(404, "Branch not found")
    commit = await site.git.commit(sha)
    changes = await history.changes(site.git, commit.parents[0] if commit.parents else None, sha)
    url = f"{site.repo_api}/branches/{branch}"
    row = protection_of(site, branch)
    view = commits.commit(site, commit, changes)
    return reply(
        {
            "name": branch,
            "commit": view,
            "_links": {"self": url, "html": f"{site.repo_html}/tree/{branch}"},
            "protected": row is not None,
            "protection": checks.protection_summary(row),
            "protection_url": f"{url}/protection",
        }
    )

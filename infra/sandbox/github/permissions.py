"""What an actor may do: granted permissions of an installation, the role of a user."""

from typing import Literal

from infra.sandbox.github.auth import role_of
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.site import Actor, Site

Level = Literal["read", "write", "admin"]
LEVELS: tuple[Level, ...] = ("read", "write", "admin")

HIDDEN = {"contents"}
"""Permissions whose refusal GitHub answers with 404 to a user."""


def allows(granted: str | None, wanted: Level) -> bool:
    """Whether a granted level includes the wanted one."""
    return granted in LEVELS and LEVELS.index(granted) >= LEVELS.index(wanted)


def require(site: Site, actor: Actor, level: Level, *permissions: str, role: Role | None = None) -> None:
    """Raises GitHub's refusal unless the actor has one of the permissions (or, a user, the role)."""
    if actor.permissions is not None:
        if any(allows(actor.permissions.get(name), level) for name in permissions):
            return
        raise ApiError(403, "Resource not accessible by integration")
    needed = role or {"read": Role.READ, "write": Role.WRITE, "admin": Role.ADMIN}[level]
    if role_of(site, actor).rank >= needed.rank:
        return
    if HIDDEN & set(permissions):
        raise not_found()
    raise ApiError(403, "Must have admin rights to Repository.")


def may(site: Site, actor: Actor, level: Level, *permissions: str, role: Role | None = None) -> bool:
    """Whether `require` would let the actor pass."""
    try:
        require(site, actor, level, *permissions, role=role)
    except ApiError:
        return False
    return True

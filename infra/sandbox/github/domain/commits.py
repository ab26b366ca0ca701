"""Making commits through the API: who signs as what, and where they may go."""

from datetime import datetime

from pydantic import BaseModel

from infra.sandbox.github import clock
from infra.sandbox.github.domain import pushes
from infra.sandbox.github.domain.idents import ident_of, web_flow
from infra.sandbox.github.errors import ApiError, unprocessable
from infra.sandbox.github.git.model import CommitObject, Ident
from infra.sandbox.github.mergeability import protection_of
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.site import Actor, Site


class Person(BaseModel):
    """An author or committer given by the caller."""

    name: str
    email: str
    date: datetime | None = None

    def ident(self) -> Ident:
        """The same as git writes it; the time is now when none is given."""
        return Ident(self.name, self.email, self.date or clock.now())


async def create(
    site: Site,
    actor: Actor,
    tree: str,
    parents: list[str],
    message: str,
    author: Person | None = None,
    committer: Person | None = None,
) -> CommitObject:
    """A new commit; it is signed when an App makes it and names neither author nor committer."""
    bot = actor.app is not None and author is None and committer is None
    writer = author.ident() if author else (committer.ident() if committer else ident_of(actor.user))
    keeper = committer.ident() if committer else (web_flow() if bot else writer)
    return await site.git.write_commit(tree, parents, message, writer, keeper, sign=bot)


def check_path(path: str) -> None:
    """Raises 422 for a path that git cannot hold."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts) or "\0" in path:
        raise unprocessable("path contains a malformed path component")


def require_unprotected(site: Site, actor: Actor, branch: str) -> None:
    """Raises GitHub's refusal when the branch only takes pull requests."""
    rule = protection_of(site, branch)
    if rule is None or (actor.user.role is Role.ADMIN and not rule.enforce_admins):
        return
    if rule.required_approvals:
        raise ApiError(409, "Could not update file: Changes must be made through a pull request.")
    if rule.required_checks:
        names = ", ".join(f'"{name}"' for name in rule.required_checks)
        raise ApiError(409, f"Could not update file: Required status check {names} is expected.")


async def advance(site: Site, actor: Actor, branch: str, before: str, after: str) -> None:
    """Moves a branch and sets off what a push sets off."""
    ref = f"refs/heads/{branch}"
    await site.git.update_ref(ref, after, before)
    await pushes.moved(site, actor, ref, before, after)

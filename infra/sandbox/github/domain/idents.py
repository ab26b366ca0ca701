"""Accounts as git authors and committers."""

from infra.sandbox.github import clock
from infra.sandbox.github.git.model import Ident
from infra.sandbox.github.records.accounts import User


def ident_of(user: User) -> Ident:
    """The name and e-mail that GitHub writes into a commit made for an account."""
    email = user.email or f"{user.id}+{user.login}@users.noreply.github.com"
    return Ident(user.name or user.login, email, clock.now())


def web_flow() -> Ident:
    """The committer of commits that GitHub makes itself."""
    return Ident("GitHub", "noreply@github.com", clock.now())

"""Whose account the writes are made with."""

from typing import Protocol

from agents.incident import RepoRef
from bot.adapters.github import payloads


class Account(Protocol):
    """Our own account on GitHub: an App's, or that of a token."""

    @property
    def app_id(self) -> int | None:
        """The id of our App, None when it is not known."""
        ...

    async def wrote(self, item: payloads.Comment | payloads.Issue) -> bool:
        """Return whether we wrote this."""
        ...

    async def resolve(self, full_name: str) -> RepoRef:
        """Return the repository `owner/name`. Raises ForgeRefusedError when we cannot reach it."""
        ...

"""Where the bot under test lives: a GitHub, the people on it, and the webhooks that it sends."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from agents.incident import RepoRef
from agents.ports import Forge, Permission
from agents.testing.builders import ONSET
from agents.testing.shop import Shop
from agents.testing.webhooks import Hook

SECRET = "the secret of the webhooks in tests"  # noqa: S105 - made up


@dataclass(frozen=True)
class Request:
    """A webhook as it goes over the wire."""

    headers: Mapping[str, str]
    body: bytes


def signed(hook: Hook, *, secret: str = SECRET, guid: str | None = None) -> Request:
    """Return a webhook signed as GitHub signs it (docs.github.com, "Validating webhook deliveries")."""
    body = json.dumps(hook.payload).encode()
    digest = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    headers = {
        "content-type": "application/json",
        "x-github-event": hook.event,
        "x-github-delivery": guid or str(uuid.uuid4()),
        "x-hub-signature-256": f"sha256={digest}",
    }
    return Request(headers, body)


class World(Protocol):
    """A GitHub with one repository, which tests act on as people do. Numbers are those of issues and pull requests."""

    forge: Forge
    repo: RepoRef
    secret: str

    def now(self) -> datetime:
        """Return the time of this world."""
        ...

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        ...

    async def requests(self) -> tuple[Request, ...]:
        """Return the webhooks since the last call, oldest first."""
        ...

    async def comments(self, number: int) -> tuple[str, ...]:
        """Return the bodies of all comments of an issue or pull request, oldest first, without our hidden marks."""
        ...

    async def reactions(self, comment_id: int) -> tuple[str, ...]:
        """Return the reactions to a comment, by GitHub's names, oldest first."""
        ...

    async def head(self) -> str:
        """Return the SHA of the default branch's head."""
        ...

    async def says(self, login: str, number: int, body: str) -> int:
        """Comment, and return the comment's id."""
        ...

    async def opens(self, login: str, title: str, body: str, labels: tuple[str, ...]) -> int:
        """Open an issue, and return its number."""
        ...

    async def rewrites(self, login: str, number: int, body: str) -> None:
        """Change the text of an issue."""
        ...

    async def closes(self, login: str, number: int) -> None:
        """Close an issue or a pull request, without merging it."""
        ...

    async def reopens(self, login: str, number: int) -> None:
        """Open an issue or a pull request again."""
        ...

    async def reviews(self, login: str, number: int, state: str) -> int:
        """Review a pull request: `approved`, `changes_requested` or `commented`; return the review's id."""
        ...

    async def merges(self, login: str, number: int) -> None:
        """Merge a pull request by hand."""
        ...

    async def pushes(self, login: str, number: int) -> None:
        """Push a commit to the branch of a pull request."""
        ...

    async def grants(self, login: str, permission: Permission) -> None:
        """Give somebody a permission on the repository."""
        ...


MARK = "<!--"


def visible(body: str) -> str:
    """Return a comment without the hidden mark at its end."""
    return body.partition(MARK)[0].rstrip()


class FakeWorld:
    """The shop in memory. Its clock is moved by hand; Maria and Wim maintain it, Rita may only read."""

    def __init__(self, shop: Shop | None = None) -> None:
        self.shop = shop or Shop()
        self.github = self.shop.github
        self.forge: Forge = self.shop.forge
        self.repo = self.github.ref
        self.secret = SECRET
        self.github.clock = max(self.github.clock, ONSET + timedelta(seconds=16))
        self.github.grant("maria", "maintain")
        self.github.grant("wim", "maintain")
        self.github.grant("rita", "read")

    def now(self) -> datetime:
        """See `World.now`."""
        return self.github.now()

    async def wait(self, seconds: float) -> None:
        """See `World.wait`."""
        self.github.tick(timedelta(seconds=seconds))

    async def requests(self) -> tuple[Request, ...]:
        """See `World.requests`."""
        hooks, self.github.hooks = self.github.hooks, []
        return tuple(signed(hook) for hook in hooks)

    async def comments(self, number: int) -> tuple[str, ...]:
        """See `World.comments`."""
        return tuple(visible(found.body) for issue, found in self.github.comments.values() if issue == number)

    async def reactions(self, comment_id: int) -> tuple[str, ...]:
        """See `World.reactions`."""
        return tuple(self.github.reactions.get(comment_id, ()))

    async def head(self) -> str:
        """See `World.head`."""
        return self.shop.head

    async def says(self, login: str, number: int, body: str) -> int:
        """See `World.says`."""
        return self.github.says(number, login, body).id

    async def opens(self, login: str, title: str, body: str, labels: tuple[str, ...]) -> int:
        """See `World.opens`."""
        return self.github.opens(login, title, body, labels=labels).number

    async def rewrites(self, login: str, number: int, body: str) -> None:
        """See `World.rewrites`."""
        self.github.edits_issue(login, number, body=body)

    async def closes(self, login: str, number: int) -> None:
        """See `World.closes`."""
        if number in self.github.pulls:
            self.github.closes_pull(login, number)
        else:
            self.github.closes(login, number)

    async def reopens(self, login: str, number: int) -> None:
        """See `World.reopens`."""
        if number in self.github.pulls:
            self.github.reopens_pull(login, number)
        else:
            self.github.reopens(login, number)

    async def reviews(self, login: str, number: int, state: str) -> int:
        """See `World.reviews`."""
        return self.github.reviews_as(login, number, state)

    async def merges(self, login: str, number: int) -> None:
        """See `World.merges`."""
        self.github.merges(login, number)

    async def pushes(self, login: str, number: int) -> None:
        """See `World.pushes`."""
        self.github.pushes(self.github.pulls[number].head_ref, {"EXTRA.md": "# More\n"}, login=login)

    async def grants(self, login: str, permission: Permission) -> None:
        """See `World.grants`."""
        self.github.grant(login, permission)

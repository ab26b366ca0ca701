"""GitHub with one token that is given, such as a workflow's GITHUB_TOKEN, instead of an App's key."""

from dataclasses import dataclass
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from agents.incident import RepoRef
from agents.ports import Now
from bot.adapters.github import payloads
from bot.adapters.github.auth import utc_now
from bot.adapters.github.client import Client, github
from bot.adapters.github.forge import TIMEOUT_S, GitHubForge
from bot.adapters.github.transport import Transport

NO_INSTALLATION = 0
"""Stands where an installation's id would be: a token does not say how it reaches a repository."""


@dataclass(frozen=True)
class TokenAccess:
    """Where GitHub is, the token to go there with, and the login under which its writes appear."""

    api_url: str
    token: SecretStr
    login: str
    timeout_s: float = TIMEOUT_S


class FixedToken:
    """Always the same token: nobody here can renew it."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    async def get(self, installation_id: int) -> str:
        """Return the token, whatever the installation."""
        del installation_id
        return self._token.get_secret_value()

    def refused(self, installation_id: int, token: str) -> None:
        """Do nothing: there is no other one."""


class TokenAccount:
    """The account behind a token, known by its login only. Marks tell our writes from others of the same login."""

    app_id: int | None = None

    def __init__(self, client: Client, login: str) -> None:
        self._client = client
        self._login = login.lower()

    async def wrote(self, item: payloads.Comment | payloads.Issue) -> bool:
        """Return whether this appeared under the token's login."""
        return item.user is not None and item.user.login.lower() == self._login

    async def resolve(self, full_name: str) -> RepoRef:
        """Return the repository `owner/name`. Raises ForgeRefusedError when the token does not reach it."""
        owner, _, name = full_name.partition("/")
        path = f"/repos/{quote(owner)}/{quote(name)}"
        repo = await self._client.get(NO_INSTALLATION, path, payloads.Repository)
        return RepoRef(id=repo.id, owner=repo.owner.login, name=repo.name, installation_id=NO_INSTALLATION)


def connect_with_token(
    access: TokenAccess, *, inner: httpx.AsyncBaseTransport | None = None, now: Now = utc_now
) -> GitHubForge:
    """Build the adapter; nothing is sent before its first use. `inner` replaces the network in tests."""
    transport = Transport(inner)
    client = Client(github(access.api_url, transport, access.timeout_s), FixedToken(access.token))
    return GitHubForge(client, transport, TokenAccount(client, access.login), now)

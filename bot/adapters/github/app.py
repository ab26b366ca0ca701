"""Our App itself: who it is, and through which installation a repository is reached."""

import asyncio
from urllib.parse import quote

from agents.errors import ForgeRefusedError
from agents.incident import RepoRef
from bot.adapters.github import payloads
from bot.adapters.github.client import Client

NOT_INSTALLED = 404


class AppAccount:
    """The App's own account, looked up once."""

    def __init__(self, client: Client, app_id: int) -> None:
        self.app_id = app_id
        self._client = client
        self._app: payloads.App | None = None
        self._lock = asyncio.Lock()

    async def app(self) -> payloads.App:
        """Return the App's slug and page. Raises ForgeUnavailableError, ForgeRefusedError."""
        async with self._lock:
            if self._app is None:
                self._app = await self._client.get(None, "/app", payloads.App)
            return self._app

    async def wrote(self, item: payloads.Comment | payloads.Issue) -> bool:
        """Return whether our App wrote this for itself; a person acting through it is still a person."""
        if item.user is None or item.user.type != "Bot":
            return False
        if item.performed_via_github_app is not None:
            return item.performed_via_github_app.id == self.app_id
        return item.user.login == f"{(await self.app()).slug}[bot]"

    async def resolve(self, full_name: str) -> RepoRef:
        """Return the repository `owner/name` with the installation that reaches it.

        Raises:
            ForgeRefusedError: the App is not installed there; the message says where to install it.
        """
        owner, _, name = full_name.partition("/")
        path = f"/repos/{quote(owner)}/{quote(name)}"
        found = await self._client.find(None, f"{path}/installation", payloads.Installation)
        if found is None:
            page = (await self.app()).html_url
            raise ForgeRefusedError(NOT_INSTALLED, f"the App is not installed on {full_name}: install it from {page}")
        repo = await self._client.get(found.id, path, payloads.Repository)
        return RepoRef(id=repo.id, owner=repo.owner.login, name=repo.name, installation_id=found.id)

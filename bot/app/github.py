"""GitHub, as the App or with a token that is given."""

import contextlib
from collections.abc import AsyncGenerator

from pydantic import SecretStr

from bot.adapters.github import Access, GitHubForge, connect
from bot.adapters.github.token import TokenAccess, connect_with_token
from bot.observability.observer import Observer
from bot.settings import Settings


@contextlib.asynccontextmanager
async def open_github(settings: Settings, observer: Observer) -> AsyncGenerator[GitHubForge]:
    """Yield GitHub as the App sees it.

    Raises:
        SettingsError: the App's id, key or webhook secret is missing.
    """
    credentials = settings.require_github()
    access = Access(api_url=settings.github_api_url, app_id=credentials.app_id, private_key=credentials.private_key)
    async with contextlib.aclosing(connect(access, observer=observer)) as forge:
        yield forge


@contextlib.asynccontextmanager
async def open_github_with_token(settings: Settings, token: SecretStr, login: str) -> AsyncGenerator[GitHubForge]:
    """Yield GitHub as seen with `token`, whose writes appear under `login`."""
    access = TokenAccess(settings.github_api_url, token, login)
    async with contextlib.aclosing(connect_with_token(access)) as forge:
        yield forge

"""Scout's query API, asked from another process."""

import contextlib
from collections.abc import AsyncGenerator

from bot.adapters.scout import ScoutClient
from bot.app.access import query_token
from bot.settings import Settings

PATIENCE_S = 5.0
PAGE_PATIENCE_S = 2.0
"""What a person waits for is shown without Scout rather than late."""


@contextlib.asynccontextmanager
async def open_scout(settings: Settings, *, timeout_s: float = PATIENCE_S) -> AsyncGenerator[ScoutClient]:
    """Yield a client of the Scout that the settings name.

    Raises:
        SettingsError: Scout is reached over the network and there is no webhook secret.
    """
    async with open_scout_at(settings.scout_url, query_token(settings), timeout_s=timeout_s) as client:
        yield client


@contextlib.asynccontextmanager
async def open_scout_at(url: str, token: str | None, *, timeout_s: float = PATIENCE_S) -> AsyncGenerator[ScoutClient]:
    """Yield a client of the Scout at `url`, with its bearer token."""
    client = ScoutClient(url, token=token, timeout_s=timeout_s)
    try:
        yield client
    finally:
        await client.close()

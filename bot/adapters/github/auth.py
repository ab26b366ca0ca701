"""App authentication: a JWT for the App, and one installation token at a time for each installation."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import jwt
from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr

JWT_BACKDATED = timedelta(seconds=60)
JWT_LIFETIME = timedelta(minutes=9)
MARGIN = timedelta(seconds=90)


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class AppIdentity:
    """What GitHub gave us when the App was created."""

    app_id: int
    private_key: SecretStr

    def jwt(self, now: datetime) -> str:
        """Return a signed JWT, backdated for clock drift (docs.github.com: "Generating a JSON Web Token")."""
        claims = {"iss": str(self.app_id), "iat": now - JWT_BACKDATED, "exp": now + JWT_LIFETIME}
        return jwt.encode(claims, self.private_key.get_secret_value(), algorithm="RS256")


class InstallationToken(BaseModel):
    """GitHub's answer to a request for an installation token."""

    model_config = ConfigDict(frozen=True)

    token: str
    expires_at: AwareDatetime


class TokenSource(Protocol):
    """Hands out the tokens with which an installation is acted for."""

    async def get(self, installation_id: int) -> str:
        """Return a token that is valid now."""
        ...

    def refused(self, installation_id: int, token: str) -> None:
        """Take note that GitHub no longer takes `token`."""
        ...


FetchToken = Callable[[int], Awaitable[InstallationToken]]


class Tokens:
    """Installation tokens, fetched once however many callers wait, and renewed before they expire."""

    def __init__(self, fetch: FetchToken, now: Callable[[], datetime] = utc_now) -> None:
        self._fetch = fetch
        self._now = now
        self._held: dict[int, InstallationToken] = {}
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, installation_id: int) -> str:
        """Return a token that is still valid for at least `MARGIN`. Raises what `fetch` raises."""
        async with self._locks[installation_id]:
            held = self._held.get(installation_id)
            if held is None or held.expires_at - self._now() < MARGIN:
                held = await self._fetch(installation_id)
                self._held[installation_id] = held
            return held.token

    def refused(self, installation_id: int, token: str) -> None:
        """Forget `token`, which GitHub no longer takes; a newer one that somebody else fetched is kept."""
        held = self._held.get(installation_id)
        if held is not None and held.token == token:
            del self._held[installation_id]

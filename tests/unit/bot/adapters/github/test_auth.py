"""Tokens are fetched once, kept while they are good, and renewed before they end."""

import asyncio
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from agents.errors import ForgeUnavailableError
from bot.adapters.github.auth import AppIdentity, InstallationToken, Tokens
from tests.unit.bot.adapters.github.wire import private_key

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Office:
    """Hands out numbered tokens for an hour, and can be closed."""

    def __init__(self) -> None:
        self.now = NOON
        self.given = 0
        self.closed = False
        self.tokens = Tokens(self.fetch, lambda: self.now)

    async def fetch(self, installation: int) -> InstallationToken:
        """Give a token."""
        await asyncio.sleep(0)
        if self.closed:
            raise ForgeUnavailableError("closed")
        self.given += 1
        return InstallationToken(token=f"{installation}:{self.given}", expires_at=self.now + timedelta(hours=1))


async def test_many_callers_share_one_request():
    """However many wait at once, one token is fetched; another installation has its own."""
    office = Office()

    got = await asyncio.gather(*(office.tokens.get(7) for _ in range(20)), office.tokens.get(8))

    assert set(got) == {"7:1", "8:2"}
    assert office.given == 2


async def test_a_token_is_renewed_before_it_ends():
    """One that would end during the call is not used any more."""
    office = Office()
    await office.tokens.get(7)

    office.now += timedelta(minutes=58)
    assert await office.tokens.get(7) == "7:1"
    office.now += timedelta(minutes=1)
    assert await office.tokens.get(7) == "7:2"


async def test_a_refused_token_is_forgotten_but_not_its_successor():
    """Two callers that were refused the same token renew it once."""
    office = Office()
    token = await office.tokens.get(7)

    office.tokens.refused(7, token)
    renewed = await office.tokens.get(7)
    office.tokens.refused(7, token)

    assert renewed == "7:2"
    assert await office.tokens.get(7) == "7:2"


async def test_a_failed_request_keeps_nobody_waiting():
    """The next caller tries again."""
    office = Office()
    office.closed = True
    with pytest.raises(ForgeUnavailableError):
        await office.tokens.get(7)

    office.closed = False
    assert await office.tokens.get(7) == "7:1"


def test_the_jwt_is_short_lived_and_backdated():
    """GitHub takes at most ten minutes, and clocks differ."""
    now = datetime.now(UTC)
    claims = jwt.decode(AppIdentity(12, private_key()).jwt(now), options={"verify_signature": False})

    assert claims["iss"] == "12"
    assert claims["iat"] < now.timestamp()
    assert claims["exp"] - claims["iat"] <= 600


def test_the_key_is_not_shown():
    """Neither in logs nor in a traceback's locals."""
    assert "BEGIN" not in repr(AppIdentity(12, private_key()))

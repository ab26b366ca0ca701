"""Tests of the whole bot in one process: sockets are blocked, so everything is in memory."""

from collections.abc import AsyncIterator

import pytest
from pytest_socket import disable_socket

from bot.testing import Bot


@pytest.fixture(autouse=True)
def no_sockets() -> None:
    """Nothing here may reach a network; Unix sockets are those of the event loop."""
    disable_socket(allow_unix_socket=True)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    """A bot in the shop; nothing has happened yet."""
    async with Bot() as running:
        yield running

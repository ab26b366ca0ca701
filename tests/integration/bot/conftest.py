"""A store over a SQLite file of its own, for every test."""

import asyncio
import shutil

import pytest

from bot.db.migrate import upgrade
from tests.support_store import TestClock, open_store, url_of


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A file with the current schema and no rows; tests copy it."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    asyncio.run(upgrade(url_of(path)))
    return path


@pytest.fixture
def url(tmp_path, empty_database):
    """The URL of an empty database."""
    return url_of(shutil.copy(empty_database, tmp_path / "test.db"))


@pytest.fixture
def clock():
    """A clock that stands still."""
    return TestClock()


@pytest.fixture
async def store(url, clock):
    """A store."""
    async with open_store(url, clock) as opened:
        yield opened

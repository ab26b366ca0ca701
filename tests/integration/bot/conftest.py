"""A store over a database of its own for every test: a SQLite file, and a Postgres database."""

import asyncio
import shutil

import pytest

from bot.db.migrate import upgrade
from tests.support_postgres import drop_database, make_database, running_postgres
from tests.support_store import TestClock, open_store, url_of


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A file with the current schema and no rows; tests copy it."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    asyncio.run(upgrade(url_of(path)))
    return path


@pytest.fixture(scope="session")
def postgres():
    """The URL of a Postgres server."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def empty_postgres(postgres):
    """The URL of a Postgres database with the current schema and no rows; tests copy it."""
    url = make_database(postgres)
    asyncio.run(upgrade(url))
    yield url
    drop_database(postgres, url)


@pytest.fixture
def new_postgres(postgres):
    """The URL of a Postgres database without any table."""
    url = make_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture
def sqlite_url(tmp_path, empty_database):
    """The URL of an empty SQLite database."""
    return url_of(shutil.copy(empty_database, tmp_path / "test.db"))


@pytest.fixture
def postgres_url(postgres, empty_postgres):
    """The URL of an empty Postgres database."""
    url = make_database(postgres, empty_postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request):
    """The URL of an empty database; whatever uses it is tested on both."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def clock():
    """A clock that stands still."""
    return TestClock()


@pytest.fixture
async def store(url, clock):
    """A store."""
    async with open_store(url, clock) as opened:
        yield opened

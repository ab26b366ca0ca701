"""A store over a real SQLite file, a clock that tests move, and the smallest incident."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agents.incident import Clock, Incident, RepoRef, Stage
from bot.db.engine import Database
from bot.db.rows import Delivery
from bot.db.store import Store
from telemetry.model import Severity

START = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)


class TestClock:
    """A clock that stands still until it is moved."""

    __test__ = False

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.time += timedelta(seconds=seconds)


def url_of(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


@asynccontextmanager
async def open_store(url: str, clock: TestClock) -> AsyncGenerator[Store]:
    """Yield a store of its own connections, as another process would have."""
    async with Database(url) as database:
        yield Store(database, clock)


def incident(incident_id: str = "inc-1", **changes: object) -> Incident:
    """Return the smallest incident, with `changes`."""
    plain = Incident(
        id=incident_id,
        repo=RepoRef(id=7, owner="acme", name="shop", installation_id=3),
        title="quote fails",
        stage=Stage.OPENING,
        severity=Severity.HIGH,
        clock=Clock(onset=START - timedelta(seconds=20), detected=START),
    )
    return plain.evolve(**changes)


def delivery(guid: str = "d-1", **changes: object) -> Delivery:
    """Return a small delivery, with `changes`."""
    plain: dict[str, object] = {"guid": guid, "source": "github", "event": "issues", "payload": "{}"}
    return Delivery.model_validate({**plain, **changes})

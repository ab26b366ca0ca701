"""What the dashboard needs: to read, and nothing else."""

from enum import StrEnum
from typing import Protocol

from dashboard.model import (
    Backlog,
    EventRecord,
    IncidentDetail,
    IncidentPage,
    Overview,
    Scorecard,
    Trend,
    Workers,
)
from telemetry.model import ScoutStatus


class Filter(StrEnum):
    """Which incidents are listed."""

    ALL = "all"
    OPEN = "open"
    WAITING = "waiting"
    RESOLVED = "resolved"
    ESCALATED = "escalated"


class ReadModel(Protocol):
    """Reads of the truth. `bot.dashboard_read` implements it over the database.

    Every method raises TransientError when the database does not answer.
    """

    async def overview(self, limit: int) -> Overview:
        """Return the newest `limit` incidents and the counts over all of them."""
        ...

    async def incidents(self, limit: int, *, which: Filter, words: str, before: str | None) -> IncidentPage:
        """Return a page of incidents, newest first, whose title, service, repository or issue match `words`.

        Raises:
            ValueError: `before` is no cursor.
        """
        ...

    async def incident(self, incident_id: str) -> IncidentDetail | None:
        """Return one incident, or None when there is none with this id."""
        ...

    async def trend(self, days: int) -> Trend:
        """Return mean times over the last `days` days and over as many before them."""
        ...

    async def scorecard(self, days: int) -> Scorecard:
        """Return how incidents went, by signature."""
        ...

    async def workers(self) -> Workers:
        """Return what the leases tell of the workers."""
        ...

    async def backlogs(self) -> tuple[Backlog, Backlog]:
        """Return what waits in the inbox and in the outbox."""
        ...

    async def events_after(self, sequence: int, limit: int) -> tuple[EventRecord, ...]:
        """Return at most `limit` events with a greater sequence number, oldest first."""
        ...

    async def last_sequence(self) -> int:
        """Return the greatest sequence number, 0 when there is no event yet."""
        ...


class ScoutRead(Protocol):
    """Scout's own word on its health, its suspicions and the service graph."""

    async def status(self) -> ScoutStatus:
        """Return it, as of now.

        Raises:
            TransientError: Scout does not answer.
        """
        ...

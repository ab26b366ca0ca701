"""What the dashboard needs: to read, and nothing else."""

from typing import Protocol

from dashboard.model import EventRecord, IncidentDetail, Overview


class ReadModel(Protocol):
    """Reads of the truth. `bot.db.read_model` implements it over the database."""

    async def overview(self, limit: int) -> Overview:
        """Return the newest `limit` incidents and the counts over all of them."""
        ...

    async def incident(self, incident_id: str) -> IncidentDetail | None:
        """Return one incident, or None when there is none with this id."""
        ...

    async def events_after(self, sequence: int, limit: int) -> tuple[EventRecord, ...]:
        """Return at most `limit` events with a greater sequence number, oldest first."""
        ...

    async def last_sequence(self) -> int:
        """Return the greatest sequence number, 0 when there is no event yet."""
        ...

"""A read model whose answers a test sets, and a client of an app with the dashboard."""

from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from dashboard.app import mount_dashboard
from dashboard.model import (
    Backlog,
    EventRecord,
    IncidentPage,
    Means,
    Overview,
    Scorecard,
    Trend,
    Workers,
)
from telemetry.errors import TransientError
from telemetry.model import ScoutStatus

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NOTHING = Means(incidents=0, resolved=0, escalated=0, mttd_s=None, mtta_s=None, mttm_s=None, mttr_s=None)


def event(sequence):
    """Return an event with this sequence number."""
    return EventRecord(sequence=sequence, incident_id="inc-1", at=NOW, agent="Scout", stage="observing", note="Seen.")


class FakeRead:
    """A read model without incidents, whose events a test appends; while `problem` is set, events cannot be read."""

    def __init__(self, *events):
        self.events = list(events)
        self.problem = ""

    async def overview(self, limit):
        return Overview(
            incidents=(), waiting=(), by_stage={}, open=0, resolved=0, total=0, sequence=await self.last_sequence()
        )

    async def incidents(self, limit, *, which, words, before):
        if before is not None:
            raise ValueError("this is no cursor")
        return IncidentPage(incidents=(), next=None)

    async def incident(self, incident_id):
        return None

    async def trend(self, days):
        return Trend(since=NOW, until=NOW, bucket_s=3600, buckets=(), now=NOTHING, before=NOTHING)

    async def scorecard(self, days):
        return Scorecard(days=days, signatures=0, rows=())

    async def workers(self):
        return Workers(sweeper=None, sweeper_until=None, owners=(), busy_lanes=0)

    async def backlogs(self):
        empty = Backlog(pending=0, oldest=None, failed=0, refused=0)
        return empty, empty

    async def events_after(self, sequence, limit):
        if self.problem:
            raise TransientError(self.problem)
        return tuple(found for found in self.events if found.sequence > sequence)[:limit]

    async def last_sequence(self):
        return self.events[-1].sequence if self.events else 0


class FakeScout:
    """Scout, which answers until a test says that it does not."""

    def __init__(self):
        self.problem = ""
        self.asked = 0

    async def status(self):
        self.asked += 1
        if self.problem:
            raise TransientError(self.problem)
        return ScoutStatus(
            started=NOW, spans_total=7, points_total=0, dropped_total={}, series=1, suspects=(), watermark=None
        )


def client_of(read, **parts):
    """Return a client of an app with the dashboard on a loopback name."""
    app = FastAPI()
    mount_dashboard(app, read, **parts)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080")


@pytest.fixture
def read():
    """Return a read model with three events."""
    return FakeRead(event(1), event(2), event(3))


@pytest.fixture
def scout():
    """Return a Scout that answers."""
    return FakeScout()


@pytest.fixture
async def client(read, scout):
    """Return a client."""
    async with client_of(read, scout=scout) as opened:
        yield opened

"""The dashboard: reads only, streams what happens, resumes where a client left off."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from dashboard.app import _stream, mount_dashboard
from dashboard.model import EventRecord, IncidentDetail, Overview
from dashboard.stream import Broadcaster

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def event(sequence):
    """Return an event with this sequence number."""
    return EventRecord(sequence=sequence, incident_id="inc-1", at=NOW, agent="Scout", stage="observing", note="Seen.")


class FakeRead:
    """A read model whose events a test appends."""

    def __init__(self, *events):
        self.events = list(events)

    async def overview(self, limit) -> Overview:
        return Overview(incidents=(), open=0, resolved=0, total=0, sequence=await self.last_sequence())

    async def incident(self, incident_id) -> IncidentDetail | None:
        return None

    async def events_after(self, sequence, limit):
        return tuple(found for found in self.events if found.sequence > sequence)[:limit]

    async def last_sequence(self):
        return self.events[-1].sequence if self.events else 0


@pytest.fixture
def read():
    """Return a read model with three events."""
    return FakeRead(event(1), event(2), event(3))


@pytest.fixture
async def client(read):
    """Return a client of an app with the dashboard."""
    app = FastAPI()
    mount_dashboard(app, read)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def take(stream, count):
    """Return the ids of the next messages of a stream."""
    return [(await asyncio.wait_for(anext(stream), 5)).id for _ in range(count)]


async def test_a_client_resumes_after_the_last_event_that_it_saw(read):
    """Events after `Last-Event-ID` come first, then new ones, each once."""
    stream = _stream(read, Broadcaster(read, poll_s=0.01), after=1)
    assert await take(stream, 2) == ["2", "3"]
    read.events.append(event(4))
    assert await take(stream, 1) == ["4"]
    await stream.aclose()


async def test_a_new_client_gets_only_what_happens_from_now_on(read):
    """Without a start the past is not replayed."""
    stream = _stream(read, Broadcaster(read, poll_s=0.01), after=None)
    waiting = asyncio.create_task(anext(stream))
    await asyncio.sleep(0.05)
    read.events.append(event(4))
    assert (await asyncio.wait_for(waiting, 5)).id == "4"
    await stream.aclose()


async def test_a_client_that_does_not_keep_up_is_told_to_resync(read):
    """A full queue ends in one resync instead of unbounded memory."""
    broadcaster = Broadcaster(read, poll_s=0.01, queue_size=2)
    async with broadcaster.subscribe() as queue:
        read.events.extend(event(number) for number in range(4, 10))
        await asyncio.sleep(0.1)
        assert queue.get_nowait() is None
        assert broadcaster.clients == 0


async def test_nothing_is_read_while_nobody_listens(read):
    """The reader stops with the last client."""
    broadcaster = Broadcaster(read, poll_s=0.01)
    async with broadcaster.subscribe():
        assert broadcaster._task is not None
    assert broadcaster._task is None


async def test_the_page_and_its_parts_carry_a_strict_policy(client):
    """No inline script, no foreign host, no framing."""
    for path in ("/", "/static/app.js", "/static/app.css", "/api/overview"):
        response = await client.get(path)
        assert response.status_code == 200
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy


async def test_an_unknown_incident_is_a_404_that_says_where_to_look(client):
    """The message names the id and the list."""
    response = await client.get("/api/incidents/nope")
    assert response.status_code == 404
    assert "/api/overview" in response.json()["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
async def test_nothing_can_be_written(client, method):
    """Every route is read-only."""
    for path in ("/", "/api/overview", "/api/incidents/x", "/events"):
        assert (await client.request(method, path)).status_code == 405

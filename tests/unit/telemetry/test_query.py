"""Scout's query API."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from telemetry.model import GroupStatus, RevisionSeen, ScoutStatus, Signal, SliReport
from telemetry.query import query_router
from telemetry.steps import whole
from telemetry.testing import Chain, Fault


@pytest.fixture(scope="module")
def chain() -> Chain:
    """Return services of which one fails."""
    made = Chain()
    made.run(60)
    made.run(60, {"quote": Fault(error_ratio=1.0)})
    return made


@pytest.fixture
async def client(chain: Chain) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the API, without a token."""
    async with _client(chain, None) as made:
        yield made


def _client(chain: Chain, token: str | None) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(query_router(chain.scout, token=token))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scout/scout/v1")


async def test_answers_are_what_scout_says(client: httpx.AsyncClient, chain: Chain):
    """Every route parses as its model and equals Scout's own answer."""
    signal = chain.signals[-1]
    group = await client.get(f"/groups/{signal.group_id}")
    assert GroupStatus.model_validate_json(group.content) == chain.scout.group(signal.group_id)
    signals = await client.get("/signals", params={"service": "quote"})
    assert [Signal.model_validate(found) for found in signals.json()] == [signal]
    versions = await client.get("/versions", params={"service": "quote"})
    assert [RevisionSeen.model_validate(seen).revision for seen in versions.json()] == ["a" * 40]
    status = await client.get("/status")
    assert ScoutStatus.model_validate_json(status.content) == whole(chain.scout.status())


async def test_sli_takes_the_series_and_the_time(client: httpx.AsyncClient, chain: Chain):
    """Windows since then, of one revision."""
    since = datetime.fromtimestamp(chain.now_s - 40, UTC)
    query = {
        "service": "quote",
        "operation": "GET /quote",
        "since": since.isoformat(),
        "window_s": "10",
        "min_requests": "5",
        "revision": "a" * 40,
    }
    answer = await client.get("/sli", params=query)
    expected = chain.scout.sli(chain.key("quote"), since=since, window_s=10, min_requests=5, revision="a" * 40)
    assert SliReport.model_validate_json(answer.content) == expected
    assert len(expected.windows) >= 3


@pytest.mark.parametrize(
    "query",
    [
        {"operation": "GET /", "since": "2026-01-01T00:00:00Z"},
        {"service": "quote", "operation": "GET /", "since": "yesterday"},
        {"service": "quote", "operation": "GET /", "since": "2026-01-01T00:00:00"},
        {"service": "quote", "operation": "GET /", "since": "2026-01-01T00:00:00Z", "window_s": "0"},
    ],
)
async def test_bad_questions_are_refused(client: httpx.AsyncClient, query: dict[str, str]):
    """A missing service, a time that is none or has no zone, an empty window: 422."""
    assert (await client.get("/sli", params=query)).status_code == 422


async def test_unknown_group_is_not_found(client: httpx.AsyncClient):
    """404, so that nobody takes it for closed."""
    assert (await client.get("/groups/g-unknown")).status_code == 404


async def test_token_is_asked_for_when_there_is_one(chain: Chain):
    """Without it, or with a wrong one, nothing is told."""
    async with _client(chain, "secret") as client:
        assert (await client.get("/status")).status_code == 401
        assert (await client.get("/status", headers={"authorization": "Bearer wrong"})).status_code == 401
        assert (await client.get("/status", headers={"authorization": "Bearer secret"})).status_code == 200

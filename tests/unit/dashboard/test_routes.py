"""The dashboard's routes: they only read, and say what is unknown."""

import pytest

from telemetry.errors import TransientError

PATHS = ("/", "/api/overview", "/api/incidents", "/api/incidents/x", "/api/trend", "/api/scorecard", "/api/system")


async def test_the_page_and_its_parts_carry_a_strict_policy(client):
    """No inline script, no foreign host, no framing, no HTML from text."""
    for path in ("/", "/static/js/main.js", "/static/css/tokens.css", "/api/overview"):
        response = await client.get(path)
        assert response.status_code == 200
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy


async def test_data_is_not_kept_by_caches(client):
    """Files of the page are asked for again each time, data is not stored at all."""
    assert (await client.get("/api/overview")).headers["cache-control"] == "no-store"
    assert (await client.get("/static/js/main.js")).headers["cache-control"] == "no-cache"


async def test_an_unknown_incident_is_a_404_that_says_where_to_look(client):
    """The message names the id and the list."""
    response = await client.get("/api/incidents/nope")
    assert response.status_code == 404
    assert "/api/overview" in response.json()["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
async def test_nothing_can_be_written(client, method):
    """Every route is read-only."""
    for path in (*PATHS, "/events"):
        assert (await client.request(method, path)).status_code == 405


@pytest.mark.parametrize(
    "path", ["/api/overview?limit=201", "/api/incidents?which=none", "/api/trend?days=2", "/api/incidents?before=x"]
)
async def test_a_wrong_question_is_refused(client, path):
    """What is out of bounds is not read."""
    assert (await client.get(path)).status_code == 422


async def test_scout_that_does_not_answer_is_unknown_with_the_reason(client, scout):
    """No status, and why; never the status of a moment ago."""
    scout.problem = "connection refused"
    system = (await client.get("/api/system")).json()
    assert system["scout"] is None
    assert system["scout_error"] == "connection refused"
    assert system["workers"]["sweeper"] is None


async def test_many_pages_ask_scout_once(client, scout, monkeypatch):
    """Within a second the answer is shared."""
    monkeypatch.setattr("dashboard.system.time.monotonic", lambda: 5.5)
    for _ in range(5):
        assert (await client.get("/api/system")).json()["scout"]["spans_total"] == 7
    assert scout.asked == 1


async def test_a_silent_database_is_said_so(client, read):
    """503 with a reason, and when to come back."""

    async def fail(limit):
        raise TransientError("the database did not answer")

    read.overview = fail
    response = await client.get("/api/overview")
    assert response.status_code == 503
    assert "did not answer" in response.json()["message"]

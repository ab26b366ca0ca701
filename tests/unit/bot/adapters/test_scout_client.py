"""Scout's query API and its client together give what Scout itself gives; whatever goes wrong is one error."""

import httpx
import pytest
from fastapi import FastAPI

from agents.errors import ScoutUnavailableError
from bot.adapters.scout import ScoutClient
from telemetry.model import Health
from telemetry.query import query_router
from telemetry.steps import whole
from telemetry.testing import Chain, Fault

TOKEN = "s3cret"


@pytest.fixture(scope="module")
def chain():
    """A Scout that sees a fault of quote, and two revisions of it."""
    found = Chain(rate_rps=4.0)
    found.run(200)
    found.deploy("quote", "b" * 40)
    found.run(60, {"quote": Fault(error_ratio=0.7)})
    return found


def client_of(handler, token=TOKEN):
    """Return a client whose requests `handler` answers."""
    client = ScoutClient("http://scout", token=token)
    client._client._transport = handler
    return client


@pytest.fixture
async def client(chain):
    """A client of that Scout."""
    app = FastAPI()
    app.include_router(query_router(chain.scout, token=TOKEN))
    found = client_of(httpx.ASGITransport(app))
    yield found
    await found.close()


async def test_signals_and_their_group_are_those_of_scout(client, chain):
    """In any environment without one, in that environment with one."""
    live = chain.scout.signals("default", None, "quote")
    assert await client.signals("default", None, "quote") == live != ()
    assert await client.signals("default", "default", "quote") == live
    assert await client.signals("default", "elsewhere", "quote") == ()
    status = await client.group(live[0].group_id)
    assert status == chain.scout.group(live[0].group_id)
    assert status.open


async def test_a_group_that_scout_does_not_know_is_none(client):
    """It has started anew since; this is no failure."""
    assert await client.group("nobody") is None


@pytest.mark.parametrize("revision", [None, "b" * 40])
async def test_the_report_of_a_series_is_that_of_scout(client, chain, revision):
    """Since a moment, in windows, of one revision where it is asked for."""
    (signal,) = chain.scout.signals("default", None, "quote")
    question = {"since": signal.onset, "window_s": 10, "min_requests": 3, "revision": revision}
    key = next(anomaly.key for anomaly in signal.anomalies if anomaly.key.service == "quote")
    report = await client.sli(key, **question)
    assert report == chain.scout.sli(key, **question)
    assert Health.UNHEALTHY in {window.health for window in report.windows}


async def test_versions_are_those_of_scout(client, chain):
    """Oldest first."""
    found = await client.versions("default", "default", "quote")
    assert found == chain.scout.versions("default", "default", "quote")
    assert found[-1].revision == "b" * 40
    assert await client.versions("default", "default", "nobody") == ()


async def test_scouts_own_health_is_what_it_says_of_itself(client, chain):
    """The counters are those of the state."""
    assert (await client.status()).spans_total == whole(chain.scout.status()).spans_total > 0


async def test_a_wrong_token_is_no_answer(chain):
    """Never the answer that there is no anomaly."""
    app = FastAPI()
    app.include_router(query_router(chain.scout, token=TOKEN))
    client = client_of(httpx.ASGITransport(app), token=None)
    with pytest.raises(ScoutUnavailableError, match="401"):
        await client.signals("default", None, "quote")
    await client.close()


def refuses(_request):
    """Fail as a port on which nobody listens."""
    raise httpx.ConnectError("connection refused")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refuses, "connection refused"),
        (lambda _: httpx.Response(503), "503"),
        (lambda _: httpx.Response(200, content=b"<html>"), "Invalid JSON"),
        (lambda _: httpx.Response(200, json={"surprise": 1}), "validation error"),
    ],
)
@pytest.mark.parametrize("path", ["/signals", "/groups/g", "/versions", "/status"])
async def test_whatever_goes_wrong_says_what_was_asked_and_why(path, answer, said):
    """A silent Scout is never read as a healthy service."""
    client = client_of(httpx.MockTransport(answer))
    ask = {
        "/signals": lambda: client.signals("default", None, "quote"),
        "/groups/g": lambda: client.group("g"),
        "/versions": lambda: client.versions("default", "default", "quote"),
        "/status": client.status,
    }[path]
    with pytest.raises(ScoutUnavailableError, match=said) as caught:
        await ask()
    assert str(caught.value).startswith(f"Scout's query API did not answer {path}: ")
    await client.close()


async def test_a_scout_of_an_older_version_is_no_answer_for_its_health():
    """404 of `/status` means that there is no such question."""
    client = client_of(httpx.MockTransport(lambda _: httpx.Response(404)))
    with pytest.raises(ScoutUnavailableError, match="has no /status"):
        await client.status()
    await client.close()

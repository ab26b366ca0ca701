"""The processes of SRE-Space in the test's own process: what they run, what ends them, what they say is missing."""

import asyncio
import gc
import json
import signal
import uuid

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from agents.testing.scenarios import pool_signal
from bot import up_process
from bot.db.rows import Status
from bot.queue.port import QueueUnavailableError
from bot.scout_process import run_scout
from bot.settings import SettingsError
from bot.topics import SIGNALS, packed
from bot.up_process import run_up
from bot.web.inside import serve_inside
from bot.web.signature import sign
from bot.web_process import run_web
from bot.worker_process import first_to_end, run_worker
from telemetry.bus import RedisStreamsBus
from telemetry.errors import BusUnavailableError
from telemetry.testing.otlp import Call, Where, traces
from tests.support_process import SECRET, running, settings_of, until, until_listening
from tests.support_redis import free_port, running_redis
from tests.support_store import TestClock, open_store

DEAD = "unix:///nowhere/redis.sock"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    """A Redis server."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def settings(tmp_path, redis_url):
    """Settings of a machine of its own."""
    return settings_of(tmp_path, redis_url)


@pytest.fixture
def garbage():
    """Give the collector of this process its own settings back."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


async def tried(store):
    """Return the delivery that waits once a job has worked on it in vain."""
    return next((row for row in await store.inbox.pending() if row.note), None)


async def waiting(settings):
    """Return the deliveries that wait in the database of these settings."""
    async with open_store(settings.database, TestClock()) as store:
        return await store.inbox.pending()


async def told(client, line):
    """Return the metrics once they hold a line; Scout's are those of its last tick."""
    metrics = (await client.get("/metrics")).text
    return metrics if line in metrics else None


async def test_web_stores_webhooks_and_shows_the_dashboard_until_it_is_told_to_stop(settings):
    """A signed webhook is in the database afterwards, a forged one is not; SIGTERM ends the process in order."""
    body = json.dumps({"action": "opened", "issue": {"number": 5}, "repository": {"id": 7}}).encode()
    headers = {
        "content-type": "application/json",
        "x-github-event": "issues",
        "x-github-delivery": str(uuid.uuid4()),
        "x-hub-signature-256": sign(body, SECRET.encode()),
    }
    async with running(run_web(settings), settings.web_port) as client:
        taken = await client.post("/webhooks/github", content=body, headers=headers)
        forged = await client.post("/webhooks/github", content=body + b" ", headers=headers)
        ready = (await client.get("/readyz")).json()
        overview = (await client.get("/api/overview")).json()
        system = (await client.get("/api/system")).json()
        metrics = (await client.get("/metrics")).text

    assert (taken.status_code, forged.status_code) == (202, 401)
    assert ready == {"status": "ready", "checks": {"database": "ok", "redis": "ok"}}
    assert (overview["total"], system["inbox"]["pending"]) == (0, 1)
    assert "Scout's query API did not answer /status" in system["scout_error"]
    assert "sre_space_inbox_pending 1.0" in metrics
    assert "sre_space_inbox_age_seconds " in metrics
    assert "sre_space_database_up 1.0" in metrics
    (row,) = await waiting(settings)
    assert (row.event, row.number) == ("issues", 5)


async def test_a_worker_takes_signals_from_the_bus_and_works_on_them_until_it_is_told_to_stop(settings, redis_url):
    """GitHub is not there: the delivery is kept, with the reason, for the next try."""
    bus = RedisStreamsBus(redis_url)
    signal_ = pool_signal()
    with capture_logs() as logs:
        async with running(run_worker(settings), settings.worker_port) as client:
            ready = (await client.get("/readyz")).json()
            await bus.publish(SIGNALS, signal_.group_id, packed(signal_))
            async with open_store(settings.database, TestClock()) as store:
                row = await until(lambda: tried(store))
            metrics = await client.get("/metrics")
    await bus.close()

    assert ready["status"] == "ready"
    assert ready["checks"] == {"database": "ok", "redis": "ok", "bus": "ok"}
    assert ready["facts"] == {"memory": "ok"}
    assert metrics.status_code == 200
    assert (row.source, row.status) == ("scout", Status.PENDING)
    assert "127.0.0.1" in row.note or "connect" in row.note.lower()
    assert [entry["event"] for entry in logs].count("worker_started") == 1


async def test_a_worker_whose_redis_goes_away_ends_with_the_reason(tmp_path):
    """The supervisor starts it again; the truth is in the database."""
    with running_redis(tmp_path) as url:
        settings = settings_of(tmp_path, url)
        process = asyncio.create_task(run_worker(settings))
        await until_listening(process, settings.worker_port)
    with pytest.raises((QueueUnavailableError, BusUnavailableError), match="does not answer"):
        await process


async def test_a_background_task_that_fails_ends_the_main_part_too():
    """A worker without its sweeper would look alive and find nothing; its jobs end before what they work with."""
    begun, ended = asyncio.Event(), []

    async def main():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("main")

    async def fails():
        await begun.wait()
        raise ValueError("the intake is broken")

    with pytest.raises(ValueError, match="the intake is broken"):
        await first_to_end(main(), asyncio.create_task(fails()))
    assert ended == ["main"]


async def test_a_background_task_that_just_ends_does_not_end_the_main_part():
    """So does the sweeper at a stop: jobs that run are still finished."""
    ended, done = asyncio.Event(), []

    async def main():
        await ended.wait()
        done.append("main")

    async def ends():
        asyncio.get_running_loop().call_soon(ended.set)

    await first_to_end(main(), asyncio.create_task(ends()))
    assert done == ["main"]


async def test_a_server_inside_a_process_gives_its_port_back_when_it_is_cancelled():
    """Else whoever starts next in this process could not listen there."""
    port = free_port()
    for _ in range(2):
        serving = asyncio.create_task(serve_inside(FastAPI(), host="127.0.0.1", port=port))
        await until_listening(serving, port)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving


async def test_scout_takes_telemetry_answers_questions_and_keeps_what_it_learned(settings, garbage):
    """OTLP and the query API are on one port; at SIGTERM its memory is written."""
    span = traces(Where("quote"), [Call(1, 1, 0, "GET /", 2, 1_700_000_000, 1_700_000_001)]).SerializeToString()
    async with running(run_scout(settings), settings.scout_port) as client:
        sent = await client.post("/v1/traces", content=span, headers={"content-type": "application/x-protobuf"})
        status = (await client.get("/scout/v1/status")).json()
        ready = (await client.get("/readyz")).json()
        metrics = await until(lambda: told(client, "sre_space_scout_spans_total 1.0"))

    assert sent.status_code == 200
    assert status["spans_total"] == 1
    assert (ready["status"], ready["checks"], ready["facts"]["memory"]) == ("ready", {"bus": "ok"}, "ok")
    assert "sre_space_scout_watermark_age_seconds " in metrics
    assert any((settings.state_dir / "scout").iterdir())
    assert gc.get_threshold() == (5_000, 5, 500)


@pytest.mark.parametrize("variable", ["SRE_SPACE_SCOUT_PORT", "SRE_SPACE_SCOUT_GRPC_PORT"])
async def test_scout_names_the_port_that_is_taken(tmp_path, redis_url, variable, garbage):
    """Each of its two ports; the message says what to do."""
    port = free_port()
    holder = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    settings = settings_of(tmp_path, redis_url, **{variable.removeprefix("SRE_SPACE_").lower(): port})
    async with holder:
        with pytest.raises(SettingsError) as caught:
            await run_scout(settings)
    assert str(caught.value).startswith(f"{variable} asks for 127.0.0.1:{port}, which cannot be listened on")
    assert caught.value.remedy.startswith("Stop the other program, or set it to another port (0 picks a free one")


async def test_scout_serves_grpc_where_it_is_asked_for(tmp_path, redis_url, garbage):
    """The port is in the log of the start."""
    settings = settings_of(tmp_path, redis_url, scout_grpc_port=0)
    with capture_logs() as logs:
        async with running(run_scout(settings), settings.scout_port):
            pass
    (started,) = [entry for entry in logs if entry["event"] == "scout_started"]
    assert started["grpc_port"] > 0


@pytest.mark.parametrize(
    ("run", "missing", "variable", "remedy"),
    [
        (run_web, {"github_webhook_secret": None}, "GITHUB_WEBHOOK_SECRET", "on the GitHub App's settings page"),
        (run_web, {"redis_url": None}, "REDIS_URL", "Start the service with `sre-space up`"),
        (run_worker, {"repository": None}, "SRE_SPACE_REPOSITORY", "as owner/name"),
        (run_worker, {"github_app_id": None}, "GITHUB_APP_ID", "App ID on the GitHub App's settings page"),
        (run_worker, {"redis_url": None}, "REDIS_URL", "Start the service with `sre-space up`"),
        (run_worker, {"llm_api_key": "k", "llm_model": None}, "LLM_MODEL", "or unset LLM_API_KEY"),
        (run_scout, {"scout_host": "0.0.0.0"}, "OTLP_TOKENS", "keep SRE_SPACE_SCOUT_HOST on loopback"),  # noqa: S104
        (run_scout, {"redis_url": None}, "REDIS_URL", "Start the service with `sre-space up`"),
        (run_scout, {"mode": "local"}, "KAFKA_BOOTSTRAP_SERVERS", "leave ENV unset"),
        (run_scout, {"mode": "cloud", "redis_url": None}, "REDIS_URL", "Name the Redis of ENV=cloud"),
        (run_up, {"github_app_id": None}, "GITHUB_APP_ID", "App ID on the GitHub App's settings page"),
        (run_up, {"repository": None}, "SRE_SPACE_REPOSITORY", "as owner/name"),
        (run_up, {"mode": "local"}, "KAFKA_BOOTSTRAP_SERVERS", "leave ENV unset"),
    ],
)
async def test_a_missing_setting_ends_the_start_with_its_name_and_what_to_do(tmp_path, run, missing, variable, remedy):
    """Nothing listens then, and nothing is half started."""
    with pytest.raises(SettingsError) as caught:
        await run(settings_of(tmp_path, **{"redis_url": DEAD, **missing}))
    assert caught.value.variable == variable
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("run", "mode"), [(run_worker, "embedded"), (run_scout, "embedded"), (run_scout, "cloud"), (run_up, "cloud")]
)
async def test_a_bus_that_does_not_answer_ends_the_start_with_what_to_do(tmp_path, run, mode):
    """The message names the mode, the variable and the way without it."""
    with pytest.raises(BusUnavailableError) as caught:
        await run(settings_of(tmp_path, DEAD, mode=mode))
    assert str(caught.value).startswith(f"The event bus of ENV={mode} cannot be used. ")
    assert str(caught.value).endswith(
        "Start it, set REDIS_URL to where it is, or leave ENV unset for the embedded bus."
    )


@pytest.mark.parametrize(("grpc_port", "shown"), [(4317, "127.0.0.1:4317"), ("off", "off")])
async def test_up_says_where_everything_is_and_stops_on_sigterm(tmp_path, monkeypatch, capsys, grpc_port, shown):
    """Lines of the programs are shown with their names, then the addresses; the supervisor is told to stop."""
    settings = settings_of(tmp_path, None, scout_grpc_port=grpc_port, web_port=8080, scout_port=4318)
    told = []

    async def up(given, stop, *, echo, started):
        echo("web", "listening")
        started(given)
        signal.raise_signal(signal.SIGTERM)
        await stop.wait()
        told.append("stopped")

    monkeypatch.setattr(up_process, "up", up)
    await run_up(settings)

    assert told == ["stopped"]
    assert capsys.readouterr().out == (
        "web     listening\n"
        "SRE-Space is up. Dashboard: http://127.0.0.1:8080  Webhooks: /webhooks/github  "
        f"OTLP: http://127.0.0.1:4318 (HTTP), {shown} (gRPC)  Stop with Ctrl-C.\n"
    )


async def test_up_asks_the_bus_of_its_mode_before_it_starts_anything(tmp_path, monkeypatch, redis_url):
    """With a Redis that answers it goes on."""
    went_on = []

    async def up(given, *_args, **_more):
        went_on.append(given)

    monkeypatch.setattr(up_process, "up", up)
    settings = settings_of(tmp_path, redis_url, mode="cloud")
    await run_up(settings)
    assert went_on == [settings]

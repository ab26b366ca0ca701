"""The `Telemetry` port, live and recorded: the same telemetry gives the same answers on both ways."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from action.respond.telemetry import Replay, files_of
from agents.errors import ScoutUnavailableError
from agents.ports import Telemetry
from agents.testing.telemetry import FakeTelemetry
from bot.adapters.scout import ScoutClient
from telemetry.model import Health, SeriesKey
from telemetry.query import query_router
from tests.support_respond import POOL, WELL, Recording, write_files

FIXED = "f" * 40
START_S = 1_700_000_000
HEALED_S = 420
QUOTE = SeriesKey(service="quote", operation="GET /quote")


@pytest.fixture(scope="module")
def recording() -> Recording:
    """A shop whose pool ran dry and that is well again since its deploy."""
    made = Recording(START_S)
    made.recovers(FIXED, made.chain.now_s, HEALED_S)
    return made


@pytest.fixture
def live(recording: Recording) -> ScoutClient:
    """A client of the Scout that has seen it all, over its own query API."""
    app = FastAPI()
    app.include_router(query_router(recording.chain.scout))
    return ScoutClient("http://scout", inner=httpx.ASGITransport(app))


@pytest.fixture
def replayed(recording: Recording, tmp_path: Path) -> Replay:
    """The Action's way: files of the Collector, played to a Scout in this process."""
    write_files(tmp_path / "otel", recording.requests)
    return Replay(files_of("otel/*.zst", tmp_path))


def since(recording: Recording, seconds: float) -> datetime:
    """Return a moment before the end of the telemetry."""
    return datetime.fromtimestamp(recording.chain.now_s - seconds, UTC)


@pytest.mark.parametrize("service", ["gateway", "quote", "pricing", "unknown"])
async def test_the_versions_of_a_service_are_the_same(live: ScoutClient, replayed: Replay, service: str):
    """Which ran from when to when, oldest first; none of a service that nobody knows."""
    seen = await live.versions("default", "default", service)
    assert await replayed.versions("default", "default", service) == seen
    assert (seen == ()) is (service == "unknown")


@pytest.mark.parametrize("revision", [None, FIXED, "0" * 40])
@pytest.mark.parametrize("window_s", [5, 30, 60])
async def test_the_state_of_a_series_is_the_same(
    live: ScoutClient, replayed: Replay, recording: Recording, window_s: int, revision: str | None
):
    """Every window with its counts and its verdict; of a revision that never ran there is no data."""
    asked = {"since": since(recording, 300), "window_s": window_s, "min_requests": 1, "revision": revision}
    seen = await live.sli(QUOTE, **asked)
    told = await replayed.sli(QUOTE, **asked)
    assert told.windows == seen.windows
    assert seen.windows
    health = {window.health for window in seen.windows}
    assert health == ({Health.NO_DATA} if revision == "0" * 40 else {Health.HEALTHY})


async def test_a_fault_that_is_over_is_open_on_neither_way(live: ScoutClient, replayed: Replay):
    """Both have closed its group by now."""
    assert await live.signals("default", None, "quote") == await replayed.signals("default", None, "quote") == ()


@pytest.mark.parametrize("way", ["live", "replayed", "fake"])
async def test_a_group_that_nobody_knows_is_none(request: pytest.FixtureRequest, way: str):
    """It is no error: Scout forgets, and numbers of another run mean nothing."""
    telemetry: Telemetry = FakeTelemetry() if way == "fake" else request.getfixturevalue(way)
    assert await telemetry.group("no-such-group") is None


async def test_a_scout_that_does_not_answer_is_told_apart_from_one_that_saw_nothing():
    """Nobody may take silence for health."""

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    client = ScoutClient("http://scout", inner=httpx.MockTransport(away))
    fake = FakeTelemetry()
    fake.down = True
    for telemetry in (client, fake):
        with pytest.raises(ScoutUnavailableError):
            await telemetry.versions("default", "default", "quote")
    await client.close()


@pytest.mark.parametrize("way", ["live", "replayed"])
async def test_a_fault_that_is_there_is_told_with_its_evidence(tmp_path: Path, way: str):
    """An open group with its root; the evidence names the same services on both ways."""
    made = Recording(START_S)
    made.chain.run(60, {"quote": POOL, "pricing": WELL})
    if way == "live":
        signals = made.chain.scout.signals("default", None, "quote")
    else:
        write_files(tmp_path / "otel", made.requests)
        signals = await Replay(files_of("otel/*.zst", tmp_path)).signals("default", None, "quote")
    (signal,) = signals
    assert signal.root_service == "quote"
    assert {"gateway", "quote"} <= {item.service for item in signal.evidence.items if hasattr(item, "service")}

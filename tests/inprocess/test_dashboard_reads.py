"""What the dashboard's API answers about incidents at several stages of their lives."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from agents.errors import ForgeUnavailableError
from agents.incident import Stage
from agents.testing.scenarios import bad_deploy, deploy_signal, pool_signal
from agents.testing.shop import Shop, with_autonomy
from bot.testing import Bot, FakeWorld
from bot.testing.snapshot import Snapshot, resumed, take

SERVICES = ("quote", "gateway", "pricing")


async def resolve(bot: Bot) -> None:
    """Lead the incident of the pool to its end."""
    await bot.signal(pool_signal())
    await bot.comment("/approve")
    await bot.deploy("quote")
    await bot.traffic(*SERVICES)
    assert await bot.stage() is Stage.RESOLVED


async def several(bot: Bot) -> None:
    """Lead one incident to its end, one to people, one to a question; and let one be dismissed. One second apart."""
    await resolve(bot)
    await bot.signal(pool_signal().model_copy(update={"group_id": "second"}))
    await bot.wait(1)
    await bot.report("Something is slow")
    await bot.wait(1)
    await bot.close(await bot.report("A mistake"))


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    """Several incidents, told once for all tests that only read them."""

    async def lived() -> Snapshot:
        async with Bot() as bot:
            await several(bot)
            return await take(bot)

    return asyncio.run(lived())


@pytest.fixture
async def busy(snapshot: Snapshot) -> AsyncIterator[Bot]:
    """A bot with several incidents."""
    async with await resumed(snapshot) as running:
        yield running


async def test_nothing_has_happened_yet(bot: Bot):
    """Counts are zero, lists are empty, means are unknown."""
    overview = await bot.read("/api/overview")
    assert overview == {
        "incidents": [],
        "waiting": [],
        "by_stage": {},
        "open": 0,
        "resolved": 0,
        "total": 0,
        "sequence": 0,
    }
    assert await bot.read("/api/incidents") == {"incidents": [], "next": None}
    trend = await bot.read("/api/trend?days=1")
    assert len(trend["buckets"]) == 24
    assert (trend["now"]["incidents"], trend["now"]["mttr_s"]) == (0, None)
    assert await bot.read("/api/scorecard") == {"days": 90, "signatures": 0, "rows": []}


async def test_an_incident_that_waits_for_people_is_shown_with_all_they_need(bot: Bot):
    """Cause, claims with their evidence, plan, diff and rule of approval; the page says that it waits."""
    await bot.signal(pool_signal())
    incident = await bot.incident()
    overview = await bot.read("/api/overview")
    assert [card["id"] for card in overview["waiting"]] == [incident.id]
    assert (overview["by_stage"], overview["open"], overview["resolved"]) == ({"awaiting_approval": 1}, 1, 0)

    detail = await bot.read(f"/api/incidents/{incident.id}")

    card = detail["card"]
    assert (card["stage"], card["service"], card["issue"], card["pull_request"]) == ("awaiting_approval", "quote", 1, 2)
    assert (card["ttd_s"], card["tta_s"], card["ttr_s"]) == (15.0, 1.0, None)
    assert (detail["diagnosis"]["kind"], detail["diagnosis"]["service"]) == ("db_pool_exhaustion", "quote")
    known = {item["id"] for item in detail["evidence"]}
    cited = {number for claim in detail["diagnosis"]["claims"] for number in claim["evidence"]}
    assert cited
    assert cited <= known
    assert detail["plan"]["files"] == ["services/quote/settings.yaml"]
    assert (detail["plan"]["dry_run"], detail["plan"]["approvals_needed"]) == (False, 1)
    assert "-  pool_size: 2" in detail["diff"]
    assert [moment["stage"] for moment in detail["timeline"]][-1] == "awaiting_approval"
    assert detail["timeline"][0]["phase"]
    assert (detail["approvals"], detail["merged"], detail["recovery"]) == ([], None, None)


async def test_a_resolved_incident_is_shown_with_its_times_and_its_recovery(bot: Bot):
    """Who approved, what was merged, and how the windows were afterwards."""
    await resolve(bot)
    incident = await bot.incident()
    detail = await bot.read(f"/api/incidents/{incident.id}")
    card = detail["card"]
    assert card["stage"] == "resolved"
    assert 0 < card["tta_s"] <= card["ttm_s"] <= card["ttr_s"]
    assert detail["approvals"] == ["maria"]
    assert detail["merge_sha"] == incident.merge.sha
    assert "quote 0 of 1500 requests failed" in detail["verification"]
    assert detail["recovery"]["windows"]
    (row,) = (await bot.read("/api/scorecard"))["rows"]
    assert (row["service"], row["incidents"], row["resolved"], row["open"]) == ("quote", 1, 1, 0)
    assert row["best_ttr_s"] == row["worst_ttr_s"] == pytest.approx(card["ttr_s"], abs=0.01)
    assert row["last_id"] == incident.id
    overview = await bot.read("/api/overview")
    assert (overview["open"], overview["resolved"], overview["waiting"]) == (0, 1, [])


async def test_a_bad_deploy_is_shown_with_the_commit_that_is_suspected(bot: Bot):
    """The revision, the traces and their way through the services are lines of evidence."""
    world = bot.world
    assert isinstance(world, FakeWorld)
    good, bad = world.shop.head, world.shop.break_discounts()
    await bot.signal(deploy_signal(bad_deploy(good, bad)))
    detail = await bot.read(f"/api/incidents/{(await bot.incident()).id}")
    assert detail["diagnosis"]["suspect_sha"] == bad
    assert detail["diagnosis"]["suspect"].startswith(bad[:9])
    texts = {item["kind"]: item["text"] for item in detail["evidence"]}
    assert {"red", "trace", "version", "signature"} <= set(texts)
    assert " → " in texts["trace"]
    assert texts["version"].startswith("quote went from ")
    assert len(detail["traces"]) > 0


async def test_a_dry_run_is_shown_as_what_would_have_been():
    """The plan is marked: nothing was changed."""
    async with Bot(FakeWorld(Shop(with_autonomy("dry-run")))) as bot:
        await bot.signal(pool_signal())
        detail = await bot.read(f"/api/incidents/{(await bot.incident()).id}")
    assert (detail["plan"]["dry_run"], detail["card"]["pull_request"]) == (True, None)
    assert "-  pool_size: 2" in detail["diff"]


async def test_the_list_can_be_narrowed_by_where_an_incident_stands(busy: Bot):
    """Newest first; each filter by its stages."""
    found = {
        which: [card["stage"] for card in (await busy.read(f"/api/incidents?which={which}"))["incidents"]]
        for which in ("all", "open", "waiting", "resolved", "escalated")
    }
    assert found == {
        "all": ["dismissed", "awaiting_info", "escalated", "resolved"],
        "open": ["awaiting_info"],
        "waiting": ["awaiting_info"],
        "resolved": ["resolved"],
        "escalated": ["escalated"],
    }
    by_words = await busy.read("/api/incidents?words=slow")
    assert [card["title"] for card in by_words["incidents"]] == ["Something is slow"]
    by_sign = await busy.read("/api/incidents?words=%25")
    assert all("%" in card["title"] for card in by_sign["incidents"]), "a word is no pattern"
    assert len(by_sign["incidents"]) == 2


async def test_the_list_comes_in_pages_that_join_without_gaps(busy: Bot):
    """The last page names no next one; a cursor that is none is refused."""
    whole = [card["id"] for card in (await busy.read("/api/incidents"))["incidents"]]
    pages, before = [], ""
    while before is not None:
        page = await busy.read(f"/api/incidents?limit=2{before and '&before=' + before.replace('+', '%2B')}")
        pages.append([card["id"] for card in page["incidents"]])
        before = page["next"]
    assert [len(page) for page in pages] == [2, 2]
    assert [one for page in pages for one in page] == whole
    refused = await busy.web.get("/api/incidents?before=yesterday")
    assert refused.status_code == 422
    assert refused.json()["message"] == "before: this is not the `next` of a page"


@pytest.mark.parametrize(("days", "bucket_s"), [(1, 3600), (7, 6 * 3600), (30, 24 * 3600)])
async def test_the_trend_has_buckets_without_gaps_up_to_now(busy: Bot, days: int, bucket_s: int):
    """What happened now is in the last one; the stretch before is empty."""
    trend = await busy.read(f"/api/trend?days={days}")
    buckets = trend["buckets"]
    assert (trend["bucket_s"], len(buckets)) == (bucket_s, days * 86_400 // bucket_s)
    starts = [datetime.fromisoformat(bucket["at"]) for bucket in buckets]
    assert {later - sooner for sooner, later in itertools.pairwise(starts)} == {timedelta(seconds=bucket_s)}
    assert starts[-1] <= busy.world.now() < datetime.fromisoformat(trend["until"])
    assert sum(bucket["incidents"] for bucket in buckets) == trend["now"]["incidents"] == 4
    assert trend["now"]["resolved"] == 1
    assert trend["now"]["mttd_s"] is not None
    assert trend["before"]["incidents"] == 0


async def test_the_scorecard_tells_the_signatures_apart(busy: Bot):
    """The most frequent first; those that are open and dismissed are counted."""
    scorecard = await busy.read("/api/scorecard")
    assert scorecard["signatures"] == len(scorecard["rows"])
    assert sum(row["incidents"] for row in scorecard["rows"]) == 4
    assert sum(row["open"] for row in scorecard["rows"]) == 1
    assert sum(row["dismissed"] for row in scorecard["rows"]) == 1


async def test_what_waits_and_who_works_is_shown(bot: Bot):
    """A write that GitHub refuses to take waits in the outbox; leases tell who works."""
    await bot.signal(pool_signal())
    bot.world.forge.fail["merge"] = ForgeUnavailableError("slow down", retry_after_s=600)
    await bot.comment("/approve")
    assert await bot.store.lease((await bot.incident()).id, "worker-1", 60)
    assert await bot.store.lease("sweeper", "worker-2", 60)
    await bot.world.says("maria", (await bot.incident()).issue or 0, "/status")
    for request in await bot.world.requests():
        await bot.post(request)

    system = await bot.read("/api/system")

    assert (system["inbox"]["pending"], system["outbox"]["pending"]) == (1, 1)
    assert datetime.fromisoformat(system["inbox"]["oldest"]) == bot.world.now()
    assert system["workers"]["sweeper"] == "worker-2"
    assert system["workers"]["owners"] == ["worker-1", "worker-2"]
    assert system["workers"]["busy_lanes"] == 1
    assert (system["scout"], system["scout_error"]) == (None, "This web process was not told where Scout is.")


async def test_no_lease_is_no_worker(bot: Bot):
    """Never a worker of a moment ago."""
    assert await bot.store.lease("sweeper", "worker-2", 5)
    await bot.world.wait(6)
    workers = (await bot.read("/api/system"))["workers"]
    assert workers == {"sweeper": None, "sweeper_until": None, "owners": [], "busy_lanes": 0}

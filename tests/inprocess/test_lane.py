"""What a lane owes others: one job at a time, back-off, wake-up times, each delivery handled once, nothing lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from agents.errors import ForgeUnavailableError, StaleIncidentError
from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.db.rows import InboxRow, Status
from bot.testing import Bot


async def waiting(bot: Bot) -> str:
    """Bring the incident of the pool to its approval and return its id."""
    await bot.signal(pool_signal())
    found = await bot.incident()
    assert found.stage is Stage.AWAITING_APPROVAL
    return found.id


async def test_while_another_job_holds_the_lane_a_delivery_waits_and_is_not_counted(bot: Bot):
    """The approval is handled once the other job has given the lane back."""
    incident_id = await waiting(bot)
    assert await bot.store.lease(incident_id, "another worker", 60)

    comment = await bot.comment("/approve")

    assert await bot.stage() is Stage.AWAITING_APPROVAL
    assert await bot.world.reactions(comment) == ()
    (row,) = await bot.store.inbox.pending()
    assert (row.attempts, row.note) == (0, f"another job works on {incident_id}")
    await bot.store.release(incident_id, "another worker")
    await bot.wait(10)
    assert await bot.stage() is Stage.VERIFYING


async def test_a_wake_up_does_nothing_while_another_job_holds_the_lane(bot: Bot):
    """The sweeper's job for an incident in work ends at once."""
    await waiting(bot)
    await bot.comment("/approve")
    incident = await bot.incident()
    assert await bot.store.lease(incident.id, "another worker", 600)
    await bot.deploy("quote")

    await bot.wait(30)

    assert (await bot.incident()).verification == incident.verification


async def test_the_lease_of_a_worker_that_died_ends_by_itself(bot: Bot):
    """Fifteen seconds later another job goes on."""
    incident_id = await waiting(bot)
    assert await bot.store.lease(incident_id, "a dead worker", bot.settings.lease_s)
    await bot.comment("/approve")

    await bot.wait(bot.settings.lease_s - 1)
    assert await bot.stage() is Stage.AWAITING_APPROVAL
    await bot.wait(10)

    assert await bot.stage() is Stage.VERIFYING


async def test_a_write_that_failed_is_not_tried_again_before_its_time(bot: Bot):
    """GitHub asks for a minute: until then nobody calls it for this write, whatever wakes the incident."""
    await waiting(bot)
    bot.world.forge.fail["merge"] = ForgeUnavailableError("slow down", retry_after_s=60)
    await bot.comment("/approve")
    assert bot.calls.count("merge") == 1

    await bot.comment("/status")
    await bot.wait(55)
    assert bot.calls.count("merge") == 1
    await bot.wait(10)

    assert bot.calls.count("merge") == 2
    assert await bot.stage() is Stage.VERIFYING


async def test_writes_behind_one_that_waits_keep_their_order(bot: Bot):
    """The sticky comment that follows the pull request is not written before it."""
    bot.world.forge.fail["propose_change"] = ForgeUnavailableError("502")
    await bot.signal(pool_signal())

    first = bot.calls.index("propose_change")
    await bot.wait(10)

    assert await bot.stage() is Stage.AWAITING_APPROVAL
    assert "upsert_comment" not in bot.calls[first + 1 : bot.calls.index("propose_change", first + 1)]


async def test_an_incident_is_not_taken_up_before_it_wants_to_be_woken(bot: Bot):
    """Curator looks again two seconds after its last look, not whenever a job comes."""
    await waiting(bot)
    await bot.comment("/approve")
    incident = await bot.incident()
    assert incident.wake_at is not None
    assert incident.wake_at > bot.world.now()
    asked = len(bot.telemetry.calls)

    await bot.work.lanes.advance(incident.id)
    assert len(bot.telemetry.calls) == asked
    await bot.world.wait((incident.wake_at - bot.world.now()).total_seconds())
    await bot.work.lanes.advance(incident.id)

    assert len(bot.telemetry.calls) > asked


async def test_a_delivery_is_handled_once_even_if_two_jobs_have_it(bot: Bot):
    """Both jobs get past the first look; who comes second finds the row claimed and done."""
    await waiting(bot)
    comment_id = await bot.world.says("maria", (await bot.incident()).issue or 0, "/status")
    (request,) = await bot.world.requests()
    await bot.post(request)
    (row,) = await bot.store.inbox.pending()

    await asyncio.gather(*(bot.work.lanes.process_delivery(row.id) for _ in range(2)))
    await bot.wait(5)
    await bot.work.lanes.process_delivery(row.id)

    assert sum("**Awaiting approval.**" in comment for comment in await bot.comments()) == 1
    assert len(await bot.world.reactions(comment_id)) == 2
    done = await bot.store.inbox.get(row.id)
    assert done is not None
    assert done.status is Status.DONE


async def test_a_row_that_another_job_has_finished_meanwhile_is_left_alone(bot: Bot):
    """The claim under the lease finds that it is done: nothing is handled a second time."""
    incident_id = await waiting(bot)
    await bot.world.says("maria", (await bot.incident()).issue or 0, "/reject")
    (request,) = await bot.world.requests()
    await bot.post(request)
    (row,) = await bot.store.inbox.pending()
    take = bot.store.leases.take

    async def finished_meanwhile(lane: str, owner: str, ttl_s: float) -> bool:
        await bot.store.inbox.finish(row.id, "another job was faster")
        return await take(lane, owner, ttl_s)

    bot.store.leases.take = finished_meanwhile
    await bot.work.lanes.process_delivery(row.id)

    assert (await bot.store.load(incident_id) or (None,))[0] == await bot.incident()
    assert await bot.stage() is Stage.AWAITING_APPROVAL


async def test_a_change_that_somebody_else_overtook_is_made_again_on_the_newer_state(bot: Bot):
    """The command is answered on what is stored then; nothing of the other change is lost."""
    incident_id = await waiting(bot)
    save, overtaken = bot.store.save, []

    async def overtaking(incident, version, *, delivery_id=None):
        if delivery_id is not None and not overtaken:
            overtaken.append(incident)
            known = await bot.store.load(incident_id)
            assert known is not None
            await save(known[0].evolve(title="Renamed meanwhile"), known[1])
        return await save(incident, version, delivery_id=delivery_id)

    bot.store.save = overtaking
    comment = await bot.comment("/approve")
    assert overtaken
    assert await bot.stage() is Stage.AWAITING_APPROVAL
    (row,) = await bot.store.inbox.pending()
    assert row.note == str(StaleIncidentError(incident_id, (await bot.store.load(incident_id) or (None, 0))[1] - 1))

    await bot.wait(5)

    found = await bot.incident()
    assert (found.stage, found.title) == (Stage.VERIFYING, "Renamed meanwhile")
    assert await bot.world.reactions(comment) == ("eyes", "rocket")


async def test_a_delivery_that_fails_by_a_silent_github_is_tried_again_later(bot: Bot):
    """The command is answered as soon as GitHub answers."""
    await waiting(bot)
    bot.world.forge.fail["comment"] = ForgeUnavailableError("502")
    comment = await bot.comment("/approve")
    assert await bot.world.reactions(comment) == ()
    (row,) = await bot.store.inbox.pending()
    assert (row.attempts, row.note) == (1, "502")

    await bot.wait(1)
    assert await bot.stage() is Stage.AWAITING_APPROVAL
    await bot.wait(5)

    assert await bot.stage() is Stage.VERIFYING


async def test_a_delivery_that_cannot_be_read_fails_once_and_says_why(bot: Bot):
    """It is not tried again, and the incident is untouched."""
    await waiting(bot)
    before = await bot.incident()
    hook = bot.world.github.hooks
    await bot.world.says("maria", before.issue or 0, "/approve")
    del hook[-1].payload["comment"]["created_at"]
    await bot.settle()

    assert await bot.incident() == before
    assert await bot.store.inbox.pending() == ()
    failed = await last_delivery(bot)
    assert failed.status is Status.FAILED
    assert failed.note == "issue_comment created: comment.created_at: Field required"


async def last_delivery(bot: Bot) -> InboxRow:
    """Return the delivery that came last, in whatever state it is."""
    rows = [row async for row in _deliveries(bot)]
    return rows[-1]


async def _deliveries(bot: Bot) -> AsyncIterator[InboxRow]:
    number = 1
    while (row := await bot.store.inbox.get(number)) is not None:
        yield row
        number += 1


async def test_a_lane_that_goes_round_and_round_stops(bot: Bot, monkeypatch: pytest.MonkeyPatch):
    """Two hundred rounds are more than any incident needs; it is logged, and the lane is free again."""
    incident_id = await waiting(bot)
    rounds = 0

    async def never_ends(*_):
        nonlocal rounds
        rounds += 1
        return True

    monkeypatch.setattr(bot.work.lanes, "_step", never_ends)
    await bot.work.lanes.advance(incident_id)

    assert rounds == 200
    assert await bot.store.lease(incident_id, "somebody", 1)


async def test_a_lease_is_renewed_while_work_takes_longer_than_it_lasts(bot: Bot, monkeypatch: pytest.MonkeyPatch):
    """A third of its time before its end it is prolonged, as long as its owner holds it."""
    incident_id = await waiting(bot)
    renewed = asyncio.Event()
    renew = bot.store.renew

    async def noted(lane: str, owner: str, ttl_s: float) -> bool:
        held = await renew(lane, owner, ttl_s)
        renewed.set()
        return held

    async def until_renewed(*_):
        await renewed.wait()
        return False

    bot.store.renew = noted
    monkeypatch.setattr(bot.work.lanes, "_lease_s", 0.03)
    monkeypatch.setattr(bot.work.lanes, "_advance", until_renewed)
    await bot.work.lanes.advance(incident_id)

    assert renewed.is_set()
    assert await bot.store.lease(incident_id, "somebody", timedelta(seconds=1).total_seconds())

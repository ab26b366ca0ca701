"""The store over real SQLite files: one transaction per change, nobody overwrites anybody."""

import asyncio

import pytest
from pydantic import AwareDatetime

from agents.errors import StaleIncidentError
from agents.incident import Agent, Stage
from agents.plan import Approval, PullRequestRef
from agents.stages import ACTS
from agents.writes import Done, LabelIssue, MergePull, OpenIssue, Refused, SyncComment
from bot.db import incidents
from bot.db.errors import DatabaseUnavailableError
from bot.db.rows import Status
from tests.support_store import START, delivery, incident, open_store


def approval(login: str, at: AwareDatetime = START) -> Approval:
    """Return an approval."""
    return Approval(login=login, user_id=1, plan_id="p", head_sha="h", at=at, via="command")


async def opened(store, **changes):
    """Store an incident and return it with its version."""
    await store.save(incident(**changes), 0)
    return await store.load("inc-1")


async def test_an_incident_comes_back_as_it_was_saved_without_its_writes(store):
    """What is loaded equals what was saved; the writes have gone to the outbox."""
    version = await store.save(incident().send(OpenIssue(), SyncComment()), 0)
    assert await store.load("inc-1") == (incident(), 1)
    assert version == 1
    assert [row.write for row in await store.outbox.pending("inc-1")] == [OpenIssue(), SyncComment()]


async def test_an_unknown_incident_is_none(store):
    """Nothing is made up."""
    assert await store.load("nope") is None
    assert await store.find(7, 12) is None


async def test_a_stale_version_changes_nothing(store):
    """The second of two writers is refused, and neither its writes nor its events are left behind."""
    seen, version = await opened(store)
    await store.save(seen.evolve(title="first"), version)
    with pytest.raises(StaleIncidentError):
        await store.save(seen.move(Stage.ESCALATED, Agent.BRAIN, "second", START).send(OpenIssue()), version)
    kept, newest = await store.load("inc-1")
    assert (kept.title, newest) == ("first", 2)
    assert await store.outbox.pending("inc-1") == ()
    assert "second" not in str(await store.events_after(0))


async def test_opening_the_same_incident_twice_is_refused(store):
    """Version 0 means new."""
    await opened(store)
    with pytest.raises(StaleIncidentError):
        await store.save(incident(title="again"), 0)


async def test_one_issue_has_one_incident(store):
    """Two incidents cannot both claim the issue."""
    await opened(store, issue=5)
    with pytest.raises(StaleIncidentError):
        await store.save(incident("inc-2", issue=5), 0)
    assert await store.load("inc-2") is None


async def test_of_two_processes_that_save_at_once_exactly_one_succeeds(url, clock):
    """Two stores on one file, the same version: one wins, one is told."""
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        seen, version = await opened(one)
        outcomes = await asyncio.gather(
            *(
                store.save(seen.evolve(title=title), version)
                for store, title in ((one, "a"), (other, "b"))
                for _ in range(5)
            ),
            return_exceptions=True,
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["StaleIncidentError"] * 9 + ["int"]
        assert (await one.load("inc-1"))[1] == version + 1


async def test_many_processes_writing_at_once_wait_for_each_other(url, clock):
    """No writer sees `database is locked`, and the event sequence has neither gaps nor doubles."""
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        await asyncio.gather(
            *(
                store.save(incident(f"inc-{number}-{index}"), 0)
                for index, store in enumerate((one, other))
                for number in range(20)
            )
        )
        assert [event.seq for event in await one.events_after(0)] == list(range(1, 41))


async def test_a_delivered_write_its_result_and_what_follows_are_one_change(store):
    """The row is done, the incident moved, the next write stored, and the audit says what GitHub did."""
    await store.save(incident().send(OpenIssue()), 0)
    seen, version = await store.load("inc-1")
    [row] = await store.outbox.pending("inc-1")
    after = seen.evolve(issue=5).move(Stage.OBSERVING, Agent.SCOUT, "open", START)
    await store.delivered(row, after, version, result=Done(number=5))
    assert [row.write for row in await store.outbox.pending("inc-1")] == [SyncComment()]
    assert (await store.outbox.get(row.id)).status is Status.DONE
    kinds = [entry.kind async for entry in store.audit.export()]
    assert kinds == ["write_carried_out", "stage_changed"]


async def test_a_write_delivered_twice_counts_once(store):
    """A second worker that carried out the same row is told that it is late."""
    await store.save(incident().send(OpenIssue()), 0)
    seen, version = await store.load("inc-1")
    [row] = await store.outbox.pending("inc-1")
    newer = await store.delivered(row, seen.evolve(issue=5), version, result=Done(number=5))
    with pytest.raises(StaleIncidentError):
        await store.delivered(row, seen.evolve(issue=6), newer, result=Done(number=6))
    assert (await store.load("inc-1"))[0].issue == 5


async def test_the_sticky_comment_is_asked_for_once_while_it_waits_and_anew_afterwards(store):
    """Pending: one row however often it is asked for. Delivered: a new row."""
    await store.save(incident().send(SyncComment()), 0)
    seen, version = await store.load("inc-1")
    version = await store.save(seen.send(SyncComment()), version)
    [row] = await store.outbox.pending("inc-1")
    version = await store.delivered(row, seen, version, result=Done(number=9))
    assert await store.outbox.pending("inc-1") == ()
    await store.save(seen.send(SyncComment()), version)
    [again] = await store.outbox.pending("inc-1")
    assert again.id > row.id


async def test_a_result_may_ask_for_the_very_write_it_came_from(store):
    """Delivering the sticky comment may move the incident, which asks for the comment again."""
    await store.save(incident().send(SyncComment()), 0)
    seen, version = await store.load("inc-1")
    [row] = await store.outbox.pending("inc-1")
    await store.delivered(row, seen.send(SyncComment()), version, result=Done(number=9))
    assert len(await store.outbox.pending("inc-1")) == 1


async def test_another_write_is_carried_out_once_however_often_it_is_asked_for(store):
    """A key that is done stays done."""
    label = LabelIssue(key="label:high", add=("high",))
    await store.save(incident().send(label), 0)
    seen, version = await store.load("inc-1")
    [row] = await store.outbox.pending("inc-1")
    version = await store.delivered(row, seen, version, result=Done())
    await store.save(seen.send(label), version)
    assert await store.outbox.pending("inc-1") == ()


async def test_a_refused_write_may_be_tried_anew(store):
    """A merge that GitHub refused for now can be asked for again under its key."""
    merge = MergePull(key="merge:h", number=4, head_sha="h")
    await store.save(incident().send(merge), 0)
    seen, version = await store.load("inc-1")
    [row] = await store.outbox.pending("inc-1")
    version = await store.delivered(row, seen, version, result=Refused(reason="checks run", retry=True))
    assert await store.outbox.pending("inc-1") == ()
    await store.save(seen.send(merge), version)
    assert [row.write for row in await store.outbox.pending("inc-1")] == [merge]


async def test_the_delivery_that_caused_a_change_is_finished_with_it(store):
    """Neither can be stored without the other: after a stale save the delivery still waits."""
    row_id = await store.inbox.put(delivery())
    seen, version = await opened(store)
    with pytest.raises(StaleIncidentError):
        await store.save(seen, version + 1, delivery_id=row_id)
    assert (await store.inbox.get(row_id)).status is Status.PENDING
    await store.save(seen, version, delivery_id=row_id)
    assert (await store.inbox.get(row_id)).status is Status.DONE


@pytest.mark.parametrize("number", [5, 8, 9])
async def test_an_incident_is_found_by_issue_pull_request_and_revert(store, number):
    """Comments on any of the three belong to it, in its own repository only."""
    await opened(
        store,
        issue=5,
        pull_request=PullRequestRef(number=8, url="u", head_sha="h"),
        revert_pull_request=PullRequestRef(number=9, url="u", head_sha="h"),
    )
    assert await store.find(7, number) == "inc-1"
    assert await store.find(8, number) is None


async def test_open_incidents_are_those_that_have_not_ended(store):
    """Resolved, escalated and dismissed ones are left out, and so are other environments."""
    for number, stage in enumerate([Stage.OBSERVING, Stage.RESOLVED, Stage.ESCALATED, Stage.VERIFYING]):
        await store.save(incident(f"inc-{number}", stage=stage), 0)
    await store.save(incident("elsewhere", environment="staging"), 0)
    found = await store.open_incidents(tenant="default", environment="default")
    assert {one.id for one in found} == {"inc-0", "inc-3"}


async def test_approvals_given_and_dropped_are_audited(store):
    """The audit tells who approved what, and when it no longer counted."""
    seen, version = await opened(store)
    version = await store.save(seen.evolve(approvals=(approval("ann"), approval("bob"))), version)
    await store.save(seen.evolve(approvals=(approval("bob"),)), version)
    rows = [entry async for entry in store.audit.export(incident_id="inc-1")]
    assert [(row.kind, row.actor) for row in rows] == [
        ("approved", "ann"),
        ("approved", "bob"),
        ("approval_dropped", "ann"),
    ]
    assert rows[0].data["plan_id"] == "p"


async def test_every_stage_change_is_an_event_with_its_sentence(store):
    """Two moves in one save are two events, in order; a save that shows nothing new makes none."""
    seen, version = await opened(store)
    moved = seen.move(Stage.OBSERVING, Agent.SCOUT, "one", START).move(Stage.RECALLING, Agent.CAG, "two", START)
    version = await store.save(moved, version)
    await store.save(moved.evolve(github_calls=5), version)
    seen_events = [(event.kind, event.data.get("note")) for event in await store.events_after(0)]
    assert seen_events == [("incident_opened", None), ("stage_changed", "one"), ("stage_changed", "two")]


async def test_an_incident_is_due_when_its_time_has_come(store, clock):
    """Not before `wake_at`, once after it, and then again only after a while."""
    seen, version = await opened(store)
    await store.save(seen.evolve(stage=Stage.AWAITING_APPROVAL, wake_at=clock.time.replace(minute=1)), version)
    clock.move(59)
    assert await store.due(clock()) == ()
    clock.move(1)
    assert await store.due(clock()) == (("inc-1", 1),)
    assert await store.due(clock()) == ()


@pytest.mark.parametrize("stage", sorted(ACTS))
async def test_work_that_was_cut_short_is_due_again(store, clock, stage):
    """A worker that is killed in an agent's turn leaves no incident behind."""
    await opened(store, stage=stage)
    clock.move(30)
    assert [incident_id for incident_id, _ in await store.due(clock())] == ["inc-1"]


async def test_an_incident_that_waits_for_people_is_not_woken(store, clock):
    """Waiting is no reason to work."""
    await opened(store, stage=Stage.AWAITING_APPROVAL)
    clock.move(3600)
    assert await store.due(clock()) == ()


async def test_an_incident_with_writes_to_carry_out_is_due(store, clock):
    """The outbox alone brings the worker back."""
    await store.save(incident(stage=Stage.ESCALATED).send(SyncComment()), 0)
    clock.move(3)
    assert await store.due(clock()) == (("inc-1", 1),)


async def test_a_claimed_incident_is_left_to_its_worker(store, clock):
    """While somebody works on it the sweeper does not send another."""
    await store.save(incident().send(SyncComment()), 0)
    clock.move(3)
    await store.claim("inc-1")
    assert await store.due(clock()) == ()


async def test_an_incident_that_never_gets_further_is_suspended_once(store, clock):
    """It is woken a limited number of times, reported once, and woken again only after something was saved."""
    seen, _ = await opened(store, stage=Stage.ORIENTING)
    woken = 0
    for _ in range(50):
        clock.move(120)
        woken += len(await store.due(clock(), max_wakes=3))
    assert woken == 3
    assert await store.suspend_stalled(clock(), max_wakes=3) == ("inc-1",)
    assert await store.suspend_stalled(clock(), max_wakes=3) == ()
    await store.save(seen, 1)
    clock.move(120)
    assert await store.due(clock(), max_wakes=3) == (("inc-1", 1),)


async def test_a_failed_write_holds_back_those_behind_it(store, clock):
    """Order is kept: what follows is not due before what failed."""
    await store.save(incident().send(OpenIssue(), SyncComment()), 0)
    first, _ = await store.outbox.pending("inc-1")
    await store.outbox.retry(first.id, "502", delay_s=60)
    rows = await store.outbox.pending("inc-1")
    assert [row.next_at for row in rows] == [clock.time.replace(minute=1)] * 2
    assert [row.attempts for row in rows] == [1, 0]
    clock.move(30)
    assert await store.due(clock()) == ()
    clock.move(30)
    assert await store.due(clock()) == (("inc-1", 1),)


async def test_open_incidents_come_oldest_first_and_of_one_tenant(store, clock):
    """Each environment of each tenant is a world of its own."""
    for name in ("b", "a"):
        await store.save(incident(name), 0)
        clock.move(1)
    await store.save(incident("c", tenant="other"), 0)
    await store.save(incident("d", stage=Stage.DISMISSED), 0)
    assert [one.id for one in await store.open_incidents(tenant="default", environment="default")] == ["b", "a"]
    assert [one.id for one in await store.open_incidents(tenant="other", environment="default")] == ["c"]
    assert await store.open_incidents(tenant="other", environment="staging") == ()


async def test_incidents_are_listed_newest_first(store, clock):
    """As many as are asked for."""
    for name in ("b", "c", "a"):
        await store.save(incident(name), 0)
        clock.move(1)
    assert [one.id for one in await store.list_incidents()] == ["a", "c", "b"]
    assert [one.id for one in await store.list_incidents(2)] == ["a", "c"]


async def test_events_are_read_from_a_number_on(store):
    """At most as many as are asked for."""
    for number in range(3):
        await store.save(incident(f"inc-{number}"), 0)
    assert [event.seq for event in await store.events_after(1)] == [2, 3]
    assert [event.seq for event in await store.events_after(0, 2)] == [1, 2]


async def test_a_delivery_that_changed_an_incident_names_it(store):
    """So that people find what came of it; other deliveries wait on."""
    row_id, other = await store.inbox.put(delivery()), await store.inbox.put(delivery("d-2"))
    assert await store.save(incident(), 0, delivery_id=row_id) == 1
    assert (await store.inbox.get(row_id)).note == "inc-1"
    assert (await store.inbox.get(other)).status is Status.PENDING


async def test_a_result_for_an_older_version_is_refused_and_the_write_waits_on(store):
    """What somebody else stored meanwhile is kept, and nothing says that the write was carried out."""
    await store.save(incident().send(OpenIssue()), 0)
    [row] = await store.outbox.pending("inc-1")
    await store.save(incident(title="newer"), 1)
    with pytest.raises(StaleIncidentError) as caught:
        await store.delivered(row, incident(issue=5), 1, result=Done(number=5))
    assert str(caught.value) == str(StaleIncidentError("inc-1", 1))
    assert await store.load("inc-1") == (incident(title="newer"), 2)
    assert await store.outbox.pending("inc-1") == (row,)
    assert [entry.kind async for entry in store.audit.export()] == []


async def test_a_write_that_somebody_else_settled_is_not_settled_again(store):
    """Not even over the newest version."""
    await store.save(incident().send(OpenIssue()), 0)
    [row] = await store.outbox.pending("inc-1")
    assert await store.delivered(row, incident(issue=5), 1, result=Done(number=5)) == 2
    with pytest.raises(StaleIncidentError) as caught:
        await store.delivered(row, incident(issue=6), 2, result=Done(number=6))
    assert str(caught.value) == str(StaleIncidentError("inc-1", 2))


async def test_the_audit_says_what_came_of_a_write_and_when(store, clock):
    """Carried out with its result, or refused with the reason."""
    label = LabelIssue(key="label", add=("x",))
    await store.save(incident().send(OpenIssue(), label), 0)
    one, other = await store.outbox.pending("inc-1")
    clock.move(5)
    await store.delivered(one, incident(issue=5), 1, result=Done(number=5))
    await store.delivered(other, incident(issue=5), 2, result=Refused(reason="no"))
    rows = [entry async for entry in store.audit.export()]
    assert [(row.kind, row.at, row.incident_id, row.data["write"], row.data["result"]) for row in rows] == [
        ("write_carried_out", clock(), "inc-1", "open_issue", {"ok": True, "number": 5}),
        ("write_refused", clock(), "inc-1", "label_issue", {"ok": False, "reason": "no", "retry": False}),
    ]


async def test_a_check_of_the_database_says_when_it_does_not_answer(store, monkeypatch):
    """It returns when it does."""
    await store.check()

    async def silent(*_):
        raise DatabaseUnavailableError("locked")

    monkeypatch.setattr(store.events, "after", silent)
    with pytest.raises(DatabaseUnavailableError):
        await store.check()


async def test_a_save_locks_the_incident_that_it_compares_with(store, monkeypatch):
    """Nobody changes it between the reading and the commit; who only loads it locks nothing."""
    locked, by_id = [], incidents.by_id

    def noted(incident_id, *, lock=False):
        locked.append(lock)
        return by_id(incident_id, lock=lock)

    monkeypatch.setattr(incidents, "by_id", noted)
    await store.save(incident(), 0)
    assert locked == [True]
    await store.load("inc-1")
    assert locked == [True, False]


@pytest.mark.parametrize("version", [1, 3])
async def test_an_incident_that_is_not_there_has_no_version(store, version):
    """It was never stored, or somebody has deleted it: nothing is left behind."""
    with pytest.raises(StaleIncidentError):
        await store.save(incident().send(OpenIssue()), version)
    assert await store.load("inc-1") is None
    assert await store.outbox.pending("inc-1") == ()

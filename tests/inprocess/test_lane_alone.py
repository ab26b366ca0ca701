"""What a lane does and when, over a store in memory, with handlers, agents and a GitHub that do as they are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from agents.errors import StaleIncidentError
from agents.graph import build_graph
from agents.incident import Agent, Incident, Stage
from agents.stages import ACTS
from agents.writes import AnyWrite, Done, LabelIssue, OpenIssue, Refused, Result, SyncComment
from bot.adapters.github.calls import count_one
from bot.db.engine import Database
from bot.db.rows import InboxRow, Status
from bot.db.store import Store
from bot.events import Routed
from bot.lane import Lanes
from bot.observability.meters import Meters
from bot.observability.observer import Observer
from bot.testing.schema import prepare
from telemetry.errors import SreSpaceError, TransientError
from tests.support_store import START, TestClock, delivery, incident

WAITS = Stage.AWAITING_APPROVAL
LABEL, OTHER = LabelIssue(key="label", add=("a",)), LabelIssue(key="other", add=("b",))

Step = Callable[[Incident], Awaitable[Incident]]


class Counted(Meters):
    """Notes how deliveries fared."""

    def __init__(self) -> None:
        super().__init__()
        self.deliveries: list[tuple[str, str]] = []

    def delivery(self, event: str, outcome: str) -> None:
        """See `Meters.delivery`."""
        self.deliveries.append((event, outcome))


class Noting(Observer):
    """Notes what was saved, as title or stage before and after."""

    __slots__ = ("saves",)

    def __init__(self, meters: Meters) -> None:
        super().__init__(meters=meters)
        object.__setattr__(self, "saves", [])  # the base is frozen

    def saved(self, before: Incident | None, after: Incident) -> None:
        """See `Observer.saved`."""
        self.saves.append((before and before.stage, after.stage))


class Desk:
    """A lane and all that it works with."""

    def __init__(self) -> None:
        self.clock = TestClock()
        self.database = Database("sqlite+aiosqlite://")
        self.store = Store(self.database, self.clock)
        self.meters = Counted()
        self.observer = Noting(self.meters)
        self.incident_id: str | None = "inc-1"
        self.handled: list[Incident | None] = []
        self.asked: list[tuple[Incident, AnyWrite]] = []
        self.stepped: list[Incident] = []
        self.answer: Callable[[Incident | None], Incident | None] = lambda before: before
        self.answers: list[Result | Exception] = []
        self.steps: dict[Stage, Step] = {}
        self.routing: Exception | None = None
        graph = build_graph(dict.fromkeys(Agent, self._step))
        self.lanes = Lanes(
            self.store,
            graph,
            route=self._route,
            handle=self._handle,
            deliver=self._deliver,
            now=self.clock,
            lease_s=9.0,
            observer=self.observer,
        )

    async def _route(self, row: InboxRow) -> Routed:
        if self.routing is not None:
            raise self.routing
        return Routed(row, None, self.incident_id)

    async def _handle(self, before: Incident | None, routed: Routed) -> Incident | None:
        assert routed.row.id
        count_one()
        self.handled.append(before)
        return self.answer(before)

    async def _deliver(self, about: Incident, write: AnyWrite) -> Result:
        count_one()
        self.asked.append((about, write))
        answer = self.answers.pop(0) if self.answers else Done(number=5, url="u")
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _step(self, before: Incident) -> Incident:
        count_one()
        self.stepped.append(before)
        return await self.steps[before.stage](before)

    async def put(self, guid: str = "d-1", **changes: object) -> int:
        """Store a delivery."""
        row_id = await self.store.inbox.put(delivery(guid, **changes))
        assert row_id is not None
        return row_id

    async def row(self, row_id: int) -> InboxRow:
        """Return a delivery."""
        found = await self.store.inbox.get(row_id)
        assert found is not None
        return found

    async def known(self) -> tuple[Incident, int]:
        """Return the incident and its version."""
        found = await self.store.load("inc-1")
        assert found is not None
        return found

    async def free(self, lane: str = "inc-1") -> bool:
        """Return whether nobody holds a lane."""
        taken = await self.store.lease(lane, "a test", 1)
        await self.store.release(lane, "a test")
        return taken


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk with empty tables."""
    desk = Desk()
    async with desk.database:
        await prepare(desk.database)
        yield desk


def goes(stage: Stage, **changes: object) -> Step:
    """Return a step that goes to a stage."""

    async def step(before: Incident) -> Incident:
        return before.evolve(stage=stage, **changes)

    return step


def fails(error: Exception) -> Step:
    """Return a step that raises."""

    async def step(_: Incident) -> Incident:
        raise error

    return step


# Deliveries.


async def test_a_delivery_opens_an_incident_and_is_done_with_it(desk: Desk):
    """It is counted, its calls to GitHub are the incident's, and the lane is free again."""
    row_id = await desk.put()
    desk.answer = lambda _: incident(stage=WAITS, github_calls=2)

    await desk.lanes.process_delivery(row_id)

    assert desk.handled == [None]
    assert await desk.known() == (incident(stage=WAITS, github_calls=3), 1)
    row = await desk.row(row_id)
    assert (row.status, row.attempts, row.note) == (Status.DONE, 1, "inc-1")
    assert desk.meters.deliveries == [("issues", "handled")]
    assert desk.observer.saves == [(None, WAITS)]
    assert await desk.free()


async def test_a_delivery_changes_the_incident_that_is_known(desk: Desk):
    """The handler sees it as it is stored."""
    await desk.store.save(incident(stage=WAITS), 0)
    desk.answer = lambda before: before and before.evolve(title="new")

    await desk.lanes.process_delivery(await desk.put())

    assert desk.handled == [incident(stage=WAITS)]
    assert await desk.known() == (incident(stage=WAITS, title="new", github_calls=1), 2)
    assert desk.observer.saves == [(WAITS, WAITS)]


@pytest.mark.parametrize(("incident_id", "looked_up"), [(None, []), ("inc-1", ["inc-1"])])
async def test_a_delivery_about_nothing_is_done_without_a_change(
    desk: Desk, incident_id: str | None, looked_up: list[str]
):
    """Whether an incident could have been meant or not; without an id none is looked up."""
    desk.incident_id, desk.answer = incident_id, lambda _: None
    row_id = await desk.put()
    load, loaded = desk.store.load, list[str]()

    async def noted(wanted: str) -> tuple[Incident, int] | None:
        loaded.append(wanted)
        return await load(wanted)

    desk.store.load = noted  # type: ignore[method-assign]

    await desk.lanes.process_delivery(row_id)

    row = await desk.row(row_id)
    assert loaded == looked_up
    assert (row.status, row.note) == (Status.DONE, "no change")
    assert await desk.store.list_incidents() == ()
    assert desk.observer.saves == []
    assert desk.meters.deliveries == [("issues", "handled")]


async def test_a_delivery_that_changes_nothing_lets_the_incident_go_on(desk: Desk):
    """What waits to be written is written."""
    await desk.store.save(incident(stage=WAITS).send(LABEL), 0)
    desk.answer = lambda _: None

    await desk.lanes.process_delivery(await desk.put())

    assert [write for _, write in desk.asked] == [LABEL]


async def test_a_delivery_is_handled_only_while_it_waits(desk: Desk):
    """One that is done, failed or unknown is not even routed."""
    done, failed = await desk.put("a"), await desk.put("b")
    await desk.store.inbox.finish(done)
    await desk.store.inbox.fail(failed, "broken")

    for row_id in (done, failed, 99):
        await desk.lanes.process_delivery(row_id)

    assert desk.handled == []
    assert desk.meters.deliveries == []


@pytest.mark.parametrize(
    ("error", "outcome", "attempts", "wait_s"),
    [
        (StaleIncidentError("inc-1", 3), "postponed", 0, 0.2),
        (TransientError("502"), "postponed", 1, 2),
        (TransientError("slow down", retry_after_s=60), "postponed", 0, 60),
    ],
)
async def test_what_may_work_later_is_tried_later(
    desk: Desk, error: Exception, outcome: str, attempts: int, wait_s: float
):
    """A wait that was asked for, and a change by somebody else, are no attempt; the reason is kept."""
    row_id = await desk.put()

    def answer(_: Incident | None) -> Incident | None:
        raise error

    desk.answer = answer
    await desk.lanes.process_delivery(row_id)

    row = await desk.row(row_id)
    assert (row.status, row.attempts, row.note) == (Status.PENDING, attempts, str(error))
    assert desk.meters.deliveries == [("issues", outcome)]
    assert await desk.free()
    desk.clock.move(wait_s - 0.01)
    assert await desk.store.inbox.due(desk.clock(), max_attempts=9) == ()
    desk.clock.move(0.01)
    assert await desk.store.inbox.due(desk.clock(), max_attempts=9) == ((row_id, 1),)


async def test_a_busy_lane_puts_a_delivery_off_for_half_a_second(desk: Desk):
    """It is no attempt, and it is counted as what it is."""
    row_id = await desk.put()
    assert await desk.store.lease("inc-1", "another worker", 60)

    await desk.lanes.process_delivery(row_id)

    row = await desk.row(row_id)
    assert (row.status, row.attempts, row.note) == (Status.PENDING, 0, "another job works on inc-1")
    assert desk.handled == []
    assert desk.meters.deliveries == [("issues", "busy")]
    desk.clock.move(0.49)
    assert await desk.store.inbox.due(desk.clock(), max_attempts=9) == ()
    desk.clock.move(0.01)
    assert await desk.store.inbox.due(desk.clock(), max_attempts=9) == ((row_id, 1),)
    assert not await desk.free()


async def test_any_other_error_of_ours_fails_the_delivery(desk: Desk):
    """With its reason, for good."""
    row_id = await desk.put()
    desk.routing = SreSpaceError("comment: Field required")

    await desk.lanes.process_delivery(row_id)

    row = await desk.row(row_id)
    assert (row.status, row.note) == (Status.FAILED, "comment: Field required")
    assert desk.meters.deliveries == [("issues", "failed")]


async def test_a_defect_is_raised_and_the_delivery_waits(desk: Desk):
    """The sweeper brings it back until its attempts are used up."""
    row_id = await desk.put()
    desk.routing = RuntimeError("a defect")

    with pytest.raises(RuntimeError):
        await desk.lanes.process_delivery(row_id)

    assert (await desk.row(row_id)).status is Status.PENDING
    assert desk.meters.deliveries == [("issues", "failed")]


async def test_a_row_that_was_finished_meanwhile_is_not_handled(desk: Desk):
    """The claim under the lease finds it."""
    row_id = await desk.put()
    take = desk.store.lease

    async def late(lane: str, owner: str, ttl_s: float) -> bool:
        await desk.store.inbox.finish(row_id)
        return await take(lane, owner, ttl_s)

    desk.store.lease = late  # type: ignore[method-assign]
    await desk.lanes.process_delivery(row_id)

    assert desk.handled == []
    assert await desk.free()


@pytest.mark.parametrize(
    ("incident_id", "lane"),
    [("inc-1", "inc-1"), (None, "7#5")],
)
async def test_the_lane_is_the_incidents_or_else_that_of_the_number(desk: Desk, incident_id: str | None, lane: str):
    """Two deliveries about one issue that is no incident yet do not overtake each other."""
    desk.incident_id = incident_id
    row_id = await desk.put(repo_id=7, number=5)
    assert await desk.store.lease(lane, "another worker", 60)

    await desk.lanes.process_delivery(row_id)

    assert (await desk.row(row_id)).note == f"another job works on {lane}"


async def test_an_error_after_the_delivery_was_stored_does_not_undo_it(desk: Desk):
    """The incident goes on when the sweeper wakes it."""
    for number, error in enumerate((TransientError("502"), StaleIncidentError("inc-1", 1)), start=1):
        row_id = await desk.put(f"d-{number}")
        desk.answer = lambda before: (before or incident()).evolve(stage=Stage.ORIENTING)
        desk.steps[Stage.ORIENTING] = fails(error)

        await desk.lanes.process_delivery(row_id)

        assert (await desk.row(row_id)).status is Status.DONE
        assert (await desk.known())[0].stage is Stage.ORIENTING


# Wake-ups.


async def test_a_wake_up_of_a_busy_or_unknown_incident_does_nothing(desk: Desk):
    """Whoever holds the lane goes on with it."""
    await desk.lanes.advance("inc-1")
    assert await desk.free()
    await desk.store.save(incident(stage=WAITS).send(LABEL), 0)
    assert await desk.store.lease("inc-1", "another worker", 60)

    await desk.lanes.advance("inc-1")

    assert desk.asked == []
    assert not await desk.free()


async def test_writes_go_before_steps_and_in_order(desk: Desk):
    """What one leads to is stored before the next; then the agents have their turn."""
    await desk.store.save(incident(stage=Stage.ORIENTING).send(OTHER, LABEL), 0)
    desk.steps[Stage.ORIENTING] = goes(WAITS)

    await desk.lanes.advance("inc-1")

    assert [write for _, write in desk.asked] == [OTHER, LABEL]
    assert [about.github_calls for about, _ in desk.asked] == [0, 1]
    assert await desk.known() == (incident(stage=WAITS, github_calls=3), 4)
    assert desk.observer.saves == [
        (Stage.ORIENTING, Stage.ORIENTING),
        (Stage.ORIENTING, Stage.ORIENTING),
        (Stage.ORIENTING, WAITS),
    ]


async def test_what_a_write_led_to_is_applied_at_once(desk: Desk):
    """The number of the issue, and a refusal, at this time."""
    await desk.store.save(incident().send(OpenIssue()), 0)
    desk.clock.move(5)
    desk.answers = [Refused(reason="no rights")]

    await desk.lanes.advance("inc-1")

    found, _ = await desk.known()
    assert found.stage is Stage.ESCALATED
    assert [(entry.at, entry.note) for entry in found.timeline] == [
        (START + timedelta(seconds=5), "The issue could not be opened: no rights")
    ]
    [row] = [row for number in (1, 2, 3) if (row := await desk.store.outbox.get(number)) and row.write == OpenIssue()]
    assert row.status is Status.REFUSED
    assert "write_refused" in [entry.kind async for entry in desk.store.audit.export()]


@pytest.mark.parametrize(("retry_after_s", "wait_s"), [(None, 2), (60, 60)])
async def test_a_write_that_may_work_later_holds_up_the_incident(
    desk: Desk, retry_after_s: float | None, wait_s: float
):
    """Neither a step nor a write behind it goes before its time; then it is tried again."""
    await desk.store.save(incident(stage=Stage.ORIENTING).send(OTHER, LABEL), 0)
    desk.steps[Stage.ORIENTING] = goes(WAITS)
    desk.answers = [TransientError("502", retry_after_s=retry_after_s)]

    await desk.lanes.advance("inc-1")

    assert [write for _, write in desk.asked] == [OTHER]
    [row, _] = await desk.store.outbox.pending("inc-1")
    assert (row.attempts, (row.next_at - desk.clock()).total_seconds()) == (1, wait_s)
    assert desk.observer.saves == []
    desk.clock.move(wait_s - 0.01)
    await desk.lanes.advance("inc-1")
    assert len(desk.asked) == 1
    desk.clock.move(0.01)
    await desk.lanes.advance("inc-1")
    assert [write for _, write in desk.asked] == [OTHER, OTHER, LABEL]
    assert (await desk.known())[0].stage is WAITS


async def test_a_write_that_may_be_tried_at_once_is_left_to_the_next_wake_up(desk: Desk):
    """A GitHub that asks for no wait is not called again and again."""
    await desk.store.save(incident(stage=WAITS).send(LABEL), 0)
    desk.answers = [TransientError("502", retry_after_s=0)]

    await desk.lanes.advance("inc-1")
    assert len(desk.asked) == 1
    await desk.lanes.advance("inc-1")

    assert len(desk.asked) == 2


async def test_the_last_error_of_a_write_is_kept(desk: Desk):
    """It is told when the write is given up."""
    await desk.store.save(incident(stage=WAITS).send(LABEL), 0)
    desk.answers = [TransientError("502 Bad Gateway")]

    await desk.lanes.advance("inc-1")

    assert [error for _, error in await desk.store.outbox.exhausted(max_attempts=1)] == ["502 Bad Gateway"]


@pytest.mark.parametrize(("wake_s", "steps"), [(None, 1), (-1, 1), (0, 1), (0.01, 0)])
async def test_an_agent_has_its_turn_when_the_wake_up_time_has_come(desk: Desk, wake_s: float | None, steps: int):
    """It sees an incident without one, so that it may set another."""
    wake_at = None if wake_s is None else START + timedelta(seconds=wake_s)
    await desk.store.save(incident(stage=Stage.VERIFYING, wake_at=wake_at), 0)
    desk.steps[Stage.VERIFYING] = goes(Stage.VERIFYING, wake_at=START + timedelta(seconds=60))

    await desk.lanes.advance("inc-1")

    assert desk.stepped == [incident(stage=Stage.VERIFYING)] * steps


@pytest.mark.parametrize("stage", sorted(frozenset(Stage) - frozenset(ACTS)))
async def test_where_no_agent_has_its_turn_nothing_is_stored(desk: Desk, stage: Stage):
    """The incident waits, and is looked at once."""
    await desk.store.save(incident(stage=stage), 0)
    claim, claimed = desk.store.claim, list[str]()

    async def noted(wanted: str) -> tuple[Incident, int] | None:
        claimed.append(wanted)
        return await claim(wanted)

    desk.store.claim = noted  # type: ignore[method-assign]
    await desk.lanes.advance("inc-1")

    assert claimed == ["inc-1"]
    assert await desk.known() == (incident(stage=stage), 1)


async def test_every_step_is_stored_with_the_calls_that_it_made(desk: Desk):
    """Calls add up over steps, and to those of before."""
    await desk.store.save(incident(stage=Stage.RECALLING, github_calls=10), 0)
    desk.steps = {
        Stage.RECALLING: goes(Stage.ORIENTING),
        Stage.ORIENTING: goes(Stage.DECIDING),
        Stage.DECIDING: goes(WAITS),
    }

    await desk.lanes.advance("inc-1")

    assert desk.observer.saves == [
        (Stage.RECALLING, Stage.ORIENTING),
        (Stage.ORIENTING, Stage.DECIDING),
        (Stage.DECIDING, WAITS),
    ]
    assert await desk.known() == (incident(stage=WAITS, github_calls=13), 4)


async def test_what_a_step_asks_for_is_written_at_once(desk: Desk):
    """Also when it stays in its stage."""
    await desk.store.save(incident(stage=Stage.VERIFYING), 0)
    later = START + timedelta(seconds=60)
    desk.steps[Stage.VERIFYING] = goes(Stage.VERIFYING, wake_at=later, outgoing=(LABEL,))

    await desk.lanes.advance("inc-1")

    assert [write for _, write in desk.asked] == [LABEL]
    assert len(desk.stepped) == 1


async def test_a_step_that_neither_moves_nor_writes_ends_the_turn(desk: Desk):
    """Though the incident wants to be woken at once."""
    await desk.store.save(incident(stage=Stage.VERIFYING), 0)
    desk.steps[Stage.VERIFYING] = goes(Stage.VERIFYING, wake_at=START)

    await desk.lanes.advance("inc-1")

    assert len(desk.stepped) == 1


async def test_after_a_step_that_moved_to_a_time_that_has_come_the_next_is_taken(desk: Desk):
    """Nobody has to wake it."""
    await desk.store.save(incident(stage=Stage.VERIFYING), 0)
    desk.steps = {Stage.VERIFYING: goes(Stage.LEARNING, wake_at=START), Stage.LEARNING: goes(Stage.RESOLVED)}

    await desk.lanes.advance("inc-1")

    assert (await desk.known())[0].stage is Stage.RESOLVED


@pytest.mark.parametrize("before", [(), (Stage.RECALLING,)])
async def test_a_step_that_cannot_go_on_hands_over_to_people(desk: Desk, before: tuple[Stage, ...]):
    """In the name of the agent that failed, with what came before it kept."""
    first = (*before, Stage.ORIENTING)[0]
    await desk.store.save(incident(stage=first, github_calls=1), 0)
    desk.steps = {Stage.RECALLING: goes(Stage.ORIENTING, service="quote"), Stage.ORIENTING: fails(SreSpaceError("why"))}

    await desk.lanes.advance("inc-1")

    found, _ = await desk.known()
    assert found.stage is Stage.ESCALATED
    assert found.service == ("quote" if before else None)
    [entry] = found.timeline
    assert (entry.at, entry.agent, entry.note) == (START, ACTS[Stage.ORIENTING], "I cannot go on by myself: why")
    assert desk.observer.saves[len(before)] == (Stage.ORIENTING, Stage.ESCALATED)
    asked = [write.key for _, write in desk.asked]
    assert asked == ["sync_comment", "escalation"]
    assert found.github_calls == 1 + len(before) + 1 + len(asked)


@pytest.mark.parametrize("error", [TransientError("502"), StaleIncidentError("inc-1", 1)])
async def test_a_step_that_may_work_later_leaves_the_incident_as_it_is(desk: Desk, error: Exception):
    """The sweeper wakes it again, and the lane is free."""
    await desk.store.save(incident(stage=Stage.ORIENTING), 0)
    desk.steps[Stage.ORIENTING] = fails(error)

    await desk.lanes.advance("inc-1")

    assert await desk.known() == (incident(stage=Stage.ORIENTING), 1)
    assert await desk.free()


async def test_a_defect_in_a_step_is_raised_and_the_lane_is_free(desk: Desk):
    """It is not taken for an answer."""
    await desk.store.save(incident(stage=Stage.ORIENTING), 0)
    desk.steps[Stage.ORIENTING] = fails(RuntimeError("a defect"))

    with pytest.raises(RuntimeError):
        await desk.lanes.advance("inc-1")

    assert await desk.free()


async def test_while_an_incident_is_worked_on_the_sweeper_leaves_it_alone(desk: Desk):
    """It was claimed before the write went out."""
    await desk.store.save(incident(stage=WAITS).send(LABEL), 0)
    desk.clock.move(5)
    seen: list[object] = []

    async def deliver(_: Incident, __: AnyWrite) -> Result:
        seen.append(await desk.store.due(desk.clock()))
        return Done()

    desk.lanes._deliver = deliver
    await desk.lanes.advance("inc-1")

    assert seen == [()]


async def test_a_lane_that_goes_round_and_round_stops(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """After as many rounds as no incident needs; the lane is free again."""
    monkeypatch.setattr("bot.lane.ROUNDS", 6)
    await desk.store.save(incident(stage=Stage.RECALLING), 0)
    desk.steps = {
        Stage.RECALLING: goes(Stage.ORIENTING, wake_at=START),
        Stage.ORIENTING: goes(Stage.RECALLING, wake_at=START),
    }

    await desk.lanes.advance("inc-1")

    assert len(desk.stepped) == 6
    assert await desk.free()


# Leases.


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The sleeps that somebody asked for; each is over at once."""
    asked: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        asked.append(seconds)
        await real(0)

    monkeypatch.setattr("bot.lane.asyncio.sleep", sleep)
    return asked


async def test_a_lease_is_taken_and_renewed_for_its_whole_length(desk: Desk, slept: list[float]):
    """By the same owner, each time a third of it has passed, and for no longer than the work lasts."""
    calls: list[tuple[str, str, str, float]] = []
    renewed = asyncio.Event()
    store: Any = desk.store
    lease, renew, release = store.lease, store.renew, store.release

    async def leasing(lane: str, owner: str, ttl_s: float) -> bool:
        calls.append(("lease", lane, owner, ttl_s))
        return await lease(lane, owner, ttl_s)

    async def renewing(lane: str, owner: str, ttl_s: float) -> bool:
        calls.append(("renew", lane, owner, ttl_s))
        held = await renew(lane, owner, ttl_s)
        if len(calls) == 3:
            renewed.set()
        return held

    async def releasing(lane: str, owner: str) -> None:
        calls.append(("release", lane, owner, 0))
        await release(lane, owner)

    store.lease, store.renew, store.release = leasing, renewing, releasing

    async def until_renewed(_: Incident) -> Incident:
        await asyncio.wait_for(renewed.wait(), 3)  # where nobody renews, the test fails soon
        return incident(stage=WAITS)

    await desk.store.save(incident(stage=Stage.ORIENTING), 0)
    desk.steps[Stage.ORIENTING] = until_renewed
    await desk.lanes.advance("inc-1")
    after = len(calls)
    for _ in range(20):
        await desk.store.check()  # gives a keeper that was left behind time to ask again

    owner = calls[0][2]
    assert calls[:3] == [("lease", "inc-1", owner, 9), ("renew", "inc-1", owner, 9), ("renew", "inc-1", owner, 9)]
    assert [call for call in calls if call[0] == "release"] == [("release", "inc-1", owner, 0)]
    assert set(slept[:2]) == {3}
    assert len(calls) == after


async def test_a_lease_that_was_lost_is_renewed_no_more(desk: Desk, slept: list[float]):
    """The version of the incident guards what is stored; the lane only stops asking."""
    tries = 0

    async def lost(*_: object) -> bool:
        nonlocal tries
        tries += 1
        return False

    desk.store.renew = lost  # type: ignore[method-assign]
    await desk.lanes._keep("inc-1", "owner")

    assert (tries, slept) == (1, [3])


async def test_two_jobs_of_one_worker_are_two_owners(desk: Desk):
    """One waits for the other as for a job of another worker."""
    async with desk.lanes._lease("inc-1"):
        assert not await desk.free()
        with pytest.raises(TransientError, match="another job works on inc-1") as caught:
            async with desk.lanes._lease("inc-1"):
                pass
        assert caught.value.retry_after_s == 0.5
    assert await desk.free()


async def test_the_lane_of_a_sticky_comment_goes_on_where_it_was_asked_for_meanwhile(desk: Desk):
    """A write that asks for itself again is written again, not for ever."""
    await desk.store.save(incident(stage=WAITS).send(SyncComment()), 0)

    await desk.lanes.advance("inc-1")

    assert [write for _, write in desk.asked] == [SyncComment()]
    assert (await desk.known())[0].comment_id == 5

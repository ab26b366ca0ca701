"""Incidents in the database: by what they are found, and when they are woken."""

from datetime import timedelta

import pytest
from sqlalchemy.dialects import postgresql

from agents.errors import StaleIncidentError
from agents.incident import Clock, Recalled, Stage
from agents.plan import PullRequestRef
from agents.stages import ACTS
from agents.testing.scenarios import pool_signal
from agents.writes import SyncComment
from bot.db import incidents
from telemetry.model import Severity
from tests.support_store import START, incident
from tests.unit.bot.comments.incidents import DIAGNOSIS

WAITS = Stage.AWAITING_APPROVAL


def after(seconds: float):
    """Return the time so long after the start."""
    return START + timedelta(seconds=seconds)


def pull(number: int) -> PullRequestRef:
    """Return a pull request."""
    return PullRequestRef(number=number, url=f"https://github.test/{number}", head_sha="h")


def test_the_columns_say_what_the_incident_says():
    """Lists, searches and figures are read from them."""
    full = incident(
        stage=WAITS,
        severity=Severity.CRITICAL,
        service="quote",
        title="quote\0 fails",
        tenant="t",
        environment="prod\0",
        signal=pool_signal(),
        signature="s" * 16,
        issue=5,
        issue_url="https://github.test/5",
        pull_request=pull(8),
        revert_pull_request=pull(9),
        recalled=Recalled(case_id="c", incident_id="inc-0", issue=1, distance=None),
        clock=Clock(onset=after(1), detected=after(2), owned=after(3), mitigated=after(4), resolved=after(5)),
        wake_at=after(60),
        outgoing=(SyncComment(),),
    )
    assert incidents.columns(full, after(7)) == {
        "data": full.evolve(outgoing=()).model_dump_json(),
        "stage": WAITS,
        "severity": "critical",
        "service": "quote",
        "title": "quote\ufffd fails",
        "tenant": "t",
        "environment": "prod\ufffd",
        "group_id": pool_signal().group_id,
        "signature": "s" * 16,
        "repo_id": 7,
        "repo": "acme/shop",
        "issue": 5,
        "issue_url": "https://github.test/5",
        "pull_request": 8,
        "pull_request_url": "https://github.test/8",
        "revert_pull_request": 9,
        "onset_at": after(1),
        "detected_at": after(2),
        "owned_at": after(3),
        "mitigated_at": after(4),
        "resolved_at": after(5),
        "from_memory": True,
        "wake_at": after(60),
        "wakes": 0,
        "next_try_at": after(9),
        "suspended_at": None,
        "updated_at": after(7),
    }


def test_what_an_incident_lacks_its_columns_lack():
    """Nothing is made up; without a signal it has no group."""
    columns = incidents.columns(incident(stage=WAITS), START)
    lacking = {name for name, value in columns.items() if value is None}
    assert lacking == {
        *("service", "group_id", "issue", "issue_url", "pull_request", "pull_request_url", "revert_pull_request"),
        *("owned_at", "mitigated_at", "resolved_at", "wake_at", "suspended_at"),
    }
    assert columns["from_memory"] is False


def test_the_service_of_the_diagnosis_is_the_incidents():
    """It is where the cause is."""
    diagnosed = incident(service="gateway", diagnosis=DIAGNOSIS.model_copy(update={"service": "pricing"}))
    assert incidents.columns(diagnosed, START)["service"] == "pricing"


def test_what_is_too_long_for_a_column_is_cut():
    """The title to 300 characters for its index, other texts to what was declared; the JSON keeps them whole."""
    long = incident(title="t" * 301, service="s" * 201, environment="e" * 201)
    columns = incidents.columns(long, START)
    assert (columns["title"], columns["service"], columns["environment"]) == ("t" * 300, "s" * 200, "e" * 200)
    assert "t" * 301 in columns["data"]


@pytest.mark.parametrize("stage", sorted(Stage))
def test_an_agents_turn_is_taken_up_again_after_ten_seconds_unless_it_says_when(stage):
    """Where people have their turn nothing wakes the incident by itself."""
    assert incidents.columns(incident(stage=stage), START)["wake_at"] == (after(10) if stage in ACTS else None)
    assert incidents.columns(incident(stage=stage, wake_at=after(1)), START)["wake_at"] == after(1)


async def test_a_save_changes_one_incident(store):
    """Another of the same version stays as it was."""
    for name in ("inc-1", "inc-2"):
        await store.save(incident(name), 0)
    assert await store.save(incident("inc-1", title="new"), 1) == 2
    assert await store.load("inc-1") == (incident("inc-1", title="new"), 2)
    assert await store.load("inc-2") == (incident("inc-2"), 1)


@pytest.mark.parametrize(("incident_id", "version"), [("inc-1", 2), ("inc-2", 1), ("inc-1", 0)])
async def test_an_incident_is_written_only_over_the_version_that_was_read(store, incident_id, version):
    """Whoever checked before: the statement itself holds it."""
    await store.save(incident(), 0)
    with pytest.raises(StaleIncidentError) as caught:
        async with store._database.write() as connection:
            await incidents.write(connection, incident(incident_id, title="stale"), version, START)
    assert str(caught.value) == str(StaleIncidentError(incident_id, version))
    assert await store.load("inc-1") == (incident(), 1)


async def test_numbers_belong_to_a_repository_and_to_nothing_else(store):
    """What was never opened is found in no repository, and without any number nothing is."""
    await store.save(incident("inc-1", issue=5, pull_request=pull(8)), 0)
    other = incident("inc-2", issue=5, revert_pull_request=pull(8))
    await store.save(other.evolve(repo=other.repo.model_copy(update={"id": 70})), 0)
    await store.save(incident("inc-3"), 0)
    found = {key: await store.find(*key) for key in ((7, 5), (7, 8), (70, 5), (70, 8), (7, 6), (70, 6), (8, 5))}
    assert found == {(7, 5): "inc-1", (7, 8): "inc-1", (70, 5): "inc-2", (70, 8): "inc-2"} | dict.fromkeys(
        ((7, 6), (70, 6), (8, 5))
    )


async def test_of_several_incidents_the_newest_is_found(store, clock):
    """Two incidents of one group, or of one pull request, come one after the other."""
    for number in (1, 2):
        await store.save(incident(f"inc-{number}", signal=pool_signal(), pull_request=pull(8)), 0)
        clock.move(1)
    await store.save(incident("inc-3", signal=pool_signal(), tenant="other"), 0)
    group = pool_signal().group_id
    assert await store.find(7, 8) == "inc-2"
    assert await store.find_group("default", group) == "inc-2"
    assert await store.find_group("other", group) == "inc-3"
    assert await store.find_group("default", "nothing") is None


async def test_an_incident_is_left_alone_for_two_seconds_after_a_save(store, clock):
    """Whoever saved it goes on with it."""
    await store.save(incident(stage=WAITS, wake_at=START), 0)
    clock.move(1.9)
    assert await store.due(clock()) == ()
    clock.move(0.1)
    assert await store.due(clock()) == (("inc-1", 1),)


async def test_a_claim_holds_one_incident_for_ten_seconds(store, clock):
    """Others are woken meanwhile."""
    for name in ("inc-1", "inc-2"):
        await store.save(incident(name, stage=WAITS, wake_at=START), 0)
    clock.move(2)
    assert await store.claim("inc-1") == (incident("inc-1", stage=WAITS, wake_at=START), 1)
    assert await store.claim("nobody") is None
    assert await store.due(clock()) == (("inc-2", 1),)
    clock.move(9.9)
    assert [name for name, _ in await store.due(clock())] == ["inc-2"]
    clock.move(0.1)
    assert [name for name, _ in await store.due(clock())] == ["inc-1"]


async def test_wake_ups_become_ever_more_seldom_up_to_a_minute(store, clock):
    """2, 4, 8, 16, 32 seconds, and from then on a minute."""
    await store.save(incident(stage=WAITS, wake_at=START), 0)
    clock.move(2)
    assert await store.due(clock())
    for wake, wait_s in enumerate((2, 4, 8, 16, 32, 60, 60), start=2):
        clock.move(wait_s - 0.1)
        assert await store.due(clock()) == ()
        clock.move(0.1)
        assert await store.due(clock()) == (("inc-1", wake),)


async def test_what_waits_longest_is_woken_first_and_not_all_at_once(store, clock):
    """The rest has its turn in the next sweep."""
    for number in (3, 1, 2):
        await store.save(incident(f"inc-{number}", stage=WAITS, wake_at=START), 0)
        clock.move(1)
    clock.move(5)
    assert [name for name, _ in await store.due(clock(), limit=2)] == ["inc-3", "inc-1"]
    assert [name for name, _ in await store.due(clock(), limit=2)] == ["inc-2"]


async def test_a_write_that_is_settled_or_put_off_wakes_nobody(store, clock):
    """Only one that could go now does."""
    for name in ("settled", "put off", "waits"):
        await store.save(incident(name, stage=WAITS).send(SyncComment()), 0)
    [settled], [put_off] = [await store.outbox.pending(name) for name in ("settled", "put off")]
    await store.outbox.fail(settled.id, "hopeless")
    await store.outbox.retry(put_off.id, "slow down", delay_s=60)
    clock.move(59.9)
    assert [name for name, _ in await store.due(clock())] == ["waits"]
    clock.move(0.1)
    assert [name for name, _ in await store.due(clock())] == ["put off"]


async def test_only_what_got_no_further_is_suspended(store, clock):
    """Neither what has wake-ups left, nor what nothing waits for, nor what a worker has taken up."""
    for name in ("stuck", "held", "fresh"):
        await store.save(incident(name, stage=WAITS, wake_at=START), 0)
    clock.move(2)
    await store.due(clock(), max_wakes=1)
    await store.save(incident("fresh", stage=WAITS, wake_at=START), 1)
    clock.move(60)
    await store.claim("held")
    assert await store.suspend_stalled(clock(), max_wakes=2) == ()
    assert await store.suspend_stalled(clock(), max_wakes=1) == ("stuck",)
    assert await store.suspend_stalled(clock(), max_wakes=1) == ()
    assert [name for name, _ in await store.due(clock(), max_wakes=1)] == ["fresh"]
    clock.move(120)
    assert sorted(name for name, _ in await store.due(clock(), max_wakes=9)) == ["fresh", "held"]


@pytest.mark.parametrize(("lock", "ends"), [(True, " FOR UPDATE"), (False, "")], ids=["locked", "free"])
def test_the_row_of_an_incident_is_locked_only_where_it_is_asked_for(lock, ends):
    """On Postgres: SQLite has no such lock and needs none, because it has one writer."""
    statement = str(incidents.by_id("inc-1", lock=lock).compile(dialect=postgresql.dialect()))
    assert statement.endswith("WHERE incidents.id = %(id_1)s::VARCHAR" + ends)


def test_two_sweepers_that_wake_at_once_wake_different_incidents():
    """On Postgres each leaves out what the other has locked, instead of waiting for it."""
    query = incidents.to_wake(START, max_wakes=3, limit=5)
    assert str(query.compile(dialect=postgresql.dialect())).endswith("FOR UPDATE SKIP LOCKED")

"""How long Curator waits for the recovery, which questions it asks Scout, and how it closes an incident."""

from datetime import timedelta

import pytest

from agents.curator import POLL, POLLED_SERIES
from agents.incident import Recalled, Stage
from agents.testing.builders import anomaly, bundle
from agents.testing.flow import POOL_FIX
from agents.testing.merged import MERGED, OP, SIGNAL, MergedWorld
from agents.writes import CloseIssue, CompleteCheck, LabelIssue, PostComment, SyncComment, Topic
from telemetry.model import Detector, GroupStatus, Health

SECOND = timedelta(seconds=1)


@pytest.fixture
def world() -> MergedWorld:
    """A world in which the fix was just merged."""
    return MergedWorld()


@pytest.mark.parametrize(("late", "stage"), [(0 * SECOND, Stage.VERIFYING), (SECOND, Stage.REVERTING)])
async def test_recovery_is_waited_for_until_its_timeout(world, late, stage):
    """It counts from the deploy, and the last second is still in time."""
    world.reports(3, Health.UNHEALTHY)
    world.time = MERGED + timedelta(seconds=90) + late
    after = await world.step(world.deployed())
    assert after.stage is stage
    told = [(report.key.service, len(report.windows)) for report in after.verification.reports]
    assert (told, after.verification.verdict) == ([("pricing", 3), ("quote", 3)], "quote 0 of 100 requests failed")


async def test_a_recovery_seen_after_the_timeout_counts(world):
    """The look that finds it comes first."""
    world.reports(3)
    world.time = MERGED + timedelta(seconds=91)
    after = await world.step(world.deployed())
    assert after.stage is Stage.LEARNING
    assert "healthy for 3 windows of 5 s" in after.timeline[-1].note


@pytest.mark.parametrize(("windows", "stage"), [(2, Stage.VERIFYING), (3, Stage.LEARNING), (4, Stage.LEARNING)])
async def test_the_windows_that_are_asked_for_suffice(world, windows, stage):
    """One less does not."""
    world.reports(windows)
    assert (await world.step(world.deployed())).stage is stage


@pytest.mark.parametrize(("before", "told"), [(1, True), (2, False)])
async def test_the_sticky_comment_follows_when_the_count_of_healthy_windows_changes(world, before, told):
    """The same count again is no news."""
    world.reports(2)
    after = await world.step(world.deployed(before))
    assert after.verification.healthy_windows == 2
    assert (SyncComment() in after.outgoing) is told


async def test_the_fixed_service_is_asked_for_on_its_revision_and_its_neighbours_on_any(world):
    """A broken series needs as many requests as configured, a neighbour one."""
    world.reports(1)
    await world.step(world.deployed())
    assert world.asked == [("pricing", MERGED, None), ("quote", MERGED, world.fix)]
    assert [call for call in world.telemetry.calls if call.startswith("sli")] == [
        "sli pricing GET /price window_s=5 min_requests=1",
        f"sli quote {OP} window_s=5 min_requests=10",
    ]


async def test_without_a_remedy_the_incidents_service_is_the_fixed_one(world):
    """A person merged something; without any service nothing is asked for on a revision."""
    world.reports(1)
    for service, revision in (("quote", world.fix), (None, None)):
        world.asked.clear()
        await world.step(world.deployed(remedy=None, service=service))
        assert world.asked[-1] == ("quote", MERGED, revision)
    other = POOL_FIX.model_copy(update={"service": "pricing"})
    world.asked.clear()
    await world.step(world.deployed(remedy=other))
    assert [revision for _, _, revision in world.asked] == [world.fix, None]


@pytest.mark.parametrize(
    ("series", "pauses"), [(1, 1), (POLLED_SERIES, 1), (2 * POLLED_SERIES - 1, 1), (2 * POLLED_SERIES, 2)]
)
async def test_looks_become_rarer_with_every_twenty_series(world, series, pauses):
    """Two seconds lie between looks at up to 39 series, four from 40 on."""
    assert (timedelta(seconds=2), 20) == (POLL, POLLED_SERIES)
    world.reports(1)
    found = tuple(anomaly("quote", f"GET /{number}", Detector.ERRORS, "bad") for number in range(series))
    wide = SIGNAL.model_copy(update={"anomalies": found, "evidence": bundle()})
    after = await world.step(world.deployed(signal=wide))
    assert after.wake_at - world.time == pauses * POLL


@pytest.mark.parametrize(
    ("more", "group", "good"), [(0, None, 3), (1, None, 0), (1, True, 0), (1, False, 3), (0, True, 3)]
)
async def test_windows_count_for_nothing_while_a_series_that_was_left_out_may_be_unwell(world, more, group, good):
    """Scout's group has to have closed, and to be known; it is not asked for where nothing was left out."""
    world.reports(3)
    if group is not None:
        status = GroupStatus(group_id=SIGNAL.group_id, open=group, anomalies=())
        world.telemetry.groups[SIGNAL.group_id] = status
    after = await world.step(world.deployed(signal=SIGNAL.model_copy(update={"more_anomalies": more})))
    assert after.verification.healthy_windows == good
    assert (f"group {SIGNAL.group_id}" in world.telemetry.calls) is (more > 0)


async def test_without_a_signal_nothing_has_recovered(world):
    """There is no series that could be seen to be well."""
    after = await world.step(world.deployed(signal=None))
    assert (after.stage, after.verification.healthy_windows) == (Stage.VERIFYING, 0)


@pytest.mark.parametrize("recalled", [None, Recalled(case_id="c", incident_id="c", issue=1, distance=None)])
async def test_a_fix_that_was_not_from_memory_freezes_nothing(world, recalled):
    """Only a remembered one is kept from being offered again."""
    world.reports(1, Health.UNHEALTHY)
    frozen: list[str] = []

    async def freeze(_: int, case_id: str) -> None:
        frozen.append(case_id)

    world.memory.freeze = freeze
    world.time = MERGED + timedelta(seconds=91)
    assert (await world.step(world.deployed(recalled=recalled))).stage is Stage.REVERTING
    assert frozen == ([recalled.case_id] if recalled else [])


@pytest.mark.parametrize("missing", [None, "remedy", "diagnosis"])
async def test_a_fix_is_remembered_only_with_its_remedy_and_diagnosis(world, missing):
    """The incident ends in any case."""
    learning = world.merged(**({missing: None} if missing else {})).evolve(stage=Stage.LEARNING)
    after = await world.step(learning)
    assert after.stage is Stage.EVOLVING
    assert [case.issue for case in world.memory.cases.values()] == ([] if missing else [learning.issue])


@pytest.mark.parametrize(
    ("head", "verified", "told"),
    [("a" * 40, True, True), (None, True, False), ("", True, False), ("a" * 40, False, False)],
)
async def test_a_check_says_that_the_fix_is_verified_where_there_is_a_commit_to_say_it_of(world, head, verified, told):
    """It comes first, and has the verdict."""
    pull = None if head is None else {"number": 9, "url": "https://x.test/9", "head_sha": head}
    check = world.deployed().verification.model_copy(update={"verdict": "all is well"})
    learning = world.merged(verification=check if verified else None, pull_request=pull).evolve(stage=Stage.LEARNING)
    writes = [write for write in (await world.step(learning)).outgoing if write != SyncComment()]
    check_run = CompleteCheck(
        key="check:verified",
        head_sha="a" * 40,
        conclusion="success",
        title="Verified in telemetry",
        summary="The deployed fix brought the service back: all is well.",
    )
    others = [
        PostComment(key="post_mortem", topic=Topic.POST_MORTEM),
        LabelIssue(key="label:resolved", add=("resolved",)),
        CloseIssue(),
    ]
    assert writes == ([check_run, *others] if told else others)

"""Curator's terms, and the conditions under which the fix counts as deployed."""

from datetime import timedelta

import pytest

from agents.curator import POLL, curator
from agents.incident import Stage
from agents.testing.forge import FakeForge
from agents.testing.merged import CONFIG, MERGED, MergedWorld

SECOND = timedelta(seconds=1)


@pytest.fixture
def world() -> MergedWorld:
    """A world in which the fix was just merged."""
    return MergedWorld()


async def test_without_a_merge_there_is_nothing_to_verify(world):
    """People are told."""
    after = await world.step(world.merged(merge=None))
    assert (after.stage, after.timeline[-1].note) == (Stage.ESCALATED, "There is no merge to verify.")


@pytest.mark.parametrize(
    ("config", "terms"),
    [(CONFIG, (5, 3, 10, 60, 90)), ("version: 2", (30, 4, 20, 1800, 900))],
    ids=["configured", "the configuration is broken"],
)
async def test_the_terms_are_the_configurations_or_the_default_ones(config, terms):
    """They are kept on the incident with the deadline that follows from them."""
    world = MergedWorld(config)
    check = (await world.step(world.merged())).verification
    deadline_s = (check.deploy_deadline - MERGED).total_seconds()
    assert (check.window_s, check.windows, check.min_requests, deadline_s, check.recovery_timeout_s) == terms


@pytest.mark.parametrize(("late", "stage"), [(0 * SECOND, Stage.VERIFYING), (SECOND, Stage.ESCALATED)])
async def test_a_deploy_is_waited_for_until_its_deadline(world, late, stage):
    """The deadline itself is still in time."""
    first = await world.step(world.merged())
    world.time = MERGED + timedelta(seconds=60) + late
    after = await world.step(first)
    assert after.stage is stage
    assert after.wake_at == (world.time + POLL if stage is Stage.VERIFYING else None)


async def test_versions_are_asked_for_in_the_incidents_tenant_and_environment(world):
    """Another tenant's service of the same name may run anything."""
    asked: list[tuple[str, ...]] = []

    async def versions(*where: str) -> tuple[()]:
        asked.append(where)
        return ()

    world.telemetry.versions = versions
    await world.step(world.merged(tenant="acme", environment="production"))
    assert asked == [("acme", "production", "quote")]


async def test_a_deploy_seen_after_its_deadline_counts(world):
    """The look that finds it comes first."""
    world.shows(world.fix)
    world.time = MERGED + timedelta(seconds=61)
    after = await world.step(world.merged())
    assert (after.stage, after.verification.deployed_revision) == (Stage.VERIFYING, world.fix)
    assert after.wake_at == world.time + timedelta(seconds=2)
    assert after.timeline[-1].note == f"quote runs {world.fix[:9]}, which holds the fix."


@pytest.mark.parametrize(("sooner", "counts"), [(0 * SECOND, True), (SECOND, False)])
async def test_a_version_last_seen_before_the_merge_does_not_hold_it(world, sooner, counts):
    """Whatever it calls itself; one seen at the merge does."""
    world.shows(world.fix, last_seen=MERGED - sooner)
    after = await world.step(world.merged())
    assert (after.verification.deployed_at is not None) is counts


async def test_a_version_that_was_first_seen_before_the_merge_is_deployed_from_the_merge_on(world):
    """What it served before does not count."""
    world.shows(world.fix)
    assert (await world.step(world.merged())).verification.deployed_at == MERGED


@pytest.mark.parametrize("which", ["fix", "later", "before", "beside", "unknown"])
async def test_only_the_merge_commit_or_one_on_top_of_it_holds_the_fix(world, which):
    """The commit before it, one beside it and one that GitHub does not know do not."""
    later = world.github.pushes("main", {"README.md": "later"}, login="otto")
    beside = world.github.git.commit({"a": "b"}, message="Beside", branch="side", parents=(world.before,))
    revisions = {"fix": world.fix, "later": later, "before": world.before, "beside": beside, "unknown": "f" * 40}
    world.shows(revisions[which])
    after = await world.step(world.merged())
    assert (after.verification.deployed_at is not None) is (which in {"fix", "later"})


async def test_the_merge_commit_itself_needs_no_comparison(world):
    """GitHub is not asked."""
    world.shows(world.fix)
    forge = FakeForge(world.github)
    await curator(forge, world.telemetry, world.memory, lambda: world.time)(world.merged())
    assert "compare" not in forge.calls


@pytest.mark.parametrize(
    ("length", "counts"), [(None, False), (0, False), (1, False), (6, False), (7, True), (12, True), (40, True)]
)
async def test_without_a_revision_a_version_is_a_short_commit_of_seven_characters(world, length, counts):
    """Shorter ones could be anything."""
    version = None if length is None else world.fix[:length]
    world.shows(None, version)
    after = await world.step(world.merged())
    assert (after.verification.deployed_at is not None) is counts
    assert not counts or after.timeline[-1].note == f"quote runs {version[:9]}, which holds the fix."


async def test_a_version_that_is_another_commit_does_not_hold_the_fix(world):
    """Its length alone says nothing."""
    world.shows(None, world.before[:12])
    world.shows(None, "v1.2.3-rc4")
    assert (await world.step(world.merged())).verification.deployed_at is None

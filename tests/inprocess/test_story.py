"""The main stories, from a signal to the end, with what people read and what is stored."""

from agents.incident import Stage
from agents.testing.scenarios import bad_deploy, deploy_signal, pool_signal
from bot.testing import Bot
from bot.testing.world import FakeWorld

SERVICES = ("quote", "gateway", "pricing")


async def test_a_dry_pool_is_found_explained_fixed_and_verified(bot: Bot):
    """One issue, one analysis, one pull request, one approval, one merge; it closes on healthy windows."""
    await bot.signal(pool_signal())
    await bot.comment("/approve")
    await bot.deploy("quote")
    assert await bot.stage() is Stage.VERIFYING
    await bot.traffic(*SERVICES)

    incident = await bot.incident()
    assert incident.stage is Stage.RESOLVED
    github = bot.world.github
    issue = github.issues[1]
    assert (issue.open, github.closed_as[1], issue.labels) == (
        False,
        "completed",
        ("incident", "severity:high", "resolved"),
    )
    assert list(github.pulls) == [2]
    analysis, command, reply, post_mortem = await bot.comments()
    assert command == "/approve"
    assert analysis.startswith("## Resolved")
    assert reply.startswith("maria approved plan")
    assert "Post-mortem" in post_mortem
    assert [entry.stage for entry in incident.timeline] == [
        Stage.OPENING,
        Stage.OBSERVING,
        Stage.RECALLING,
        Stage.ORIENTING,
        Stage.DECIDING,
        Stage.ACTING,
        Stage.PROPOSING,
        Stage.AWAITING_APPROVAL,
        Stage.APPROVED,
        Stage.MERGING,
        Stage.VERIFYING,
        Stage.VERIFYING,
        Stage.LEARNING,
        Stage.EVOLVING,
        Stage.RESOLVED,
    ]
    assert (github.checks[github.pull_state(github.pulls[2]).head_sha].conclusion) == "success"


async def test_no_traffic_never_counts_as_recovery(bot: Bot):
    """Windows without requests say nothing: the incident is not closed."""
    await bot.signal(pool_signal())
    await bot.comment("/approve")
    await bot.deploy("quote")
    await bot.traffic(*SERVICES, requests=0)
    assert await bot.stage() is Stage.VERIFYING


async def test_a_merge_without_a_deploy_never_closes(bot: Bot):
    """Healthy traffic of the old revision proves nothing about the fix."""
    await bot.signal(pool_signal())
    await bot.comment("/approve")
    await bot.traffic(*SERVICES)
    assert await bot.stage() is Stage.VERIFYING


async def test_a_fix_that_does_not_help_is_taken_back_by_people(bot: Bot):
    """A pull request undoes it, the escalation says why, and nothing is merged without people."""
    await bot.signal(pool_signal())
    await bot.comment("/approve")
    await bot.deploy("quote")
    await bot.traffic(*SERVICES, failing=0.5)
    await bot.wait(900, step=120)

    incident = await bot.incident()
    assert incident.stage is Stage.ESCALATED
    assert incident.revert_pull_request is not None
    revert = bot.world.github.pulls[incident.revert_pull_request.number]
    assert revert.open
    assert bot.calls.count("merge") == 1
    assert bot.world.github.issues[1].open

    await bot.merge_by_hand(by="wim", on=incident.revert_pull_request.number)
    assert (await bot.incident()).timeline[-1].note == "wim merged #3, which takes the fix back."


async def test_the_second_time_the_fix_comes_from_memory_and_still_needs_its_approval(bot: Bot):
    """The same signature and the same remedy, marked as remembered, approved by a person again."""
    await bot.signal(pool_signal())
    await bot.comment("/approve")
    await bot.deploy("quote")
    await bot.traffic(*SERVICES)
    assert await bot.stage() is Stage.RESOLVED
    again = FakeWorld()
    again.shop.github.clock = bot.world.now()
    async with Bot(again, memory=bot.memory) as second:
        await second.signal(pool_signal())
        incident = await second.incident()
        assert incident.stage is Stage.AWAITING_APPROVAL
        assert incident.recalled is not None
        assert incident.approvals == ()


async def test_a_bad_deploy_is_reverted_and_the_commit_is_named(bot: Bot):
    """The suspect is the commit that touched the failing function, not the one beside it."""
    world = bot.world
    assert isinstance(world, FakeWorld)
    good = world.shop.head
    world.shop.write_docs()
    bad = world.shop.break_discounts()
    await bot.signal(deploy_signal(bad_deploy(good, bad)))
    incident = await bot.incident()
    assert incident.stage is Stage.AWAITING_APPROVAL
    assert incident.diagnosis is not None
    assert incident.diagnosis.suspect is not None
    assert incident.diagnosis.suspect.sha == bad

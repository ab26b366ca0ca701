"""Scenarios that hold in every world; each asserts how it has to end."""

from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.comments import REOPENED
from bot.testing import Bot
from tests.contract.bot_plays import CONFIG, Scene, seeded

SERVICES = ("quote", "gateway", "pricing")
REFUSED = (
    "rita has read permission on this repository; `/approve` needs write. **Next:** ask somebody with write permission."
)


async def proposed(bot: Bot) -> int:
    """Bring the incident of the pool to its approval, and return the number of the fix."""
    await bot.signal(pool_signal())
    assert await bot.stage() is Stage.AWAITING_APPROVAL
    return await bot.fix()


async def recovered(bot: Bot) -> None:
    """Deploy what is merged, show that it works, and let the incident end."""
    await bot.deploy("quote")
    await bot.traffic(*SERVICES)
    assert await bot.stage() is Stage.RESOLVED


async def is_open(bot: Bot, number: int) -> bool:
    """Return whether a pull request is open."""
    pull = await bot.world.forge.pull(bot.world.repo, number)
    assert pull is not None
    return pull.open


async def has_branch(bot: Bot) -> bool:
    """Return whether the branch of the fix is there."""
    plan = (await bot.incident()).plan
    assert plan is not None
    return await bot.world.forge.compare(bot.world.repo, plan.base_sha, plan.branch) is not None


async def approved_and_verified(bot: Bot) -> None:
    """A fix is approved by command, merged, deployed and verified; the issue ends with its post-mortem."""
    number = await proposed(bot)
    comment = await bot.comment("/approve", by="maria")
    assert await bot.world.reactions(comment) == ("eyes", "rocket")
    assert await bot.stage() is Stage.VERIFYING
    assert not await is_open(bot, number)

    await recovered(bot)

    issue = await bot.world.forge.issue(bot.world.repo, (await bot.incident()).issue or 0)
    assert issue is not None
    assert (issue.open, issue.labels) == (False, ("incident", "severity:high", "resolved"))
    assert (await bot.last_comment()).startswith("## Post-mortem: quote: ")


async def refused_then_rejected(bot: Bot) -> None:
    """Whoever may only read approves nothing; a maintainer's rejection closes the fix and deletes its branch."""
    number = await proposed(bot)
    comment = await bot.comment("/approve", by="rita")
    assert await bot.last_comment() == REFUSED
    assert await bot.world.reactions(comment) == ("eyes", "-1")
    assert await bot.stage() is Stage.AWAITING_APPROVAL
    assert await is_open(bot, number)
    assert await has_branch(bot)

    await bot.comment("/reject", by="maria")

    assert await bot.stage() is Stage.ESCALATED
    assert not await is_open(bot, number)
    assert not await has_branch(bot)


async def closed_and_reopened(bot: Bot) -> None:
    """A person who closes the issue ends the incident and its fix; opening it again is answered once."""
    number = await proposed(bot)
    issue = (await bot.incident()).issue or 0
    await bot.close(issue)
    assert await bot.stage() is Stage.DISMISSED
    assert not await is_open(bot, number)
    assert not await has_branch(bot)

    await bot.wait(5)
    await bot.reopen(issue)

    assert await bot.stage() is Stage.DISMISSED
    assert await bot.last_comment() == REOPENED


async def pushed_to(bot: Bot) -> None:
    """A push to the fix drops the approval that was given, and nothing is merged any more."""
    number = await proposed(bot)
    await bot.comment("/approve", by="maria")
    assert [approval.login for approval in (await bot.incident()).approvals] == ["maria"]

    await bot.push(by="wim")

    assert (await bot.incident()).approvals == ()
    await bot.comment("/approve", by="maria", on=number)
    assert await bot.stage() is Stage.AWAITING_APPROVAL
    assert await is_open(bot, number)


async def approved_by_review(bot: Bot) -> None:
    """An approving review counts like the command; one that only comments does not."""
    number = await proposed(bot)
    await bot.review("commented", by="wim")
    assert await bot.stage() is Stage.AWAITING_APPROVAL

    await bot.review("approved", by="maria")

    assert await bot.stage() is Stage.VERIFYING
    assert not await is_open(bot, number)


async def merged_by_hand(bot: Bot) -> None:
    """A fix that a person merges on GitHub is verified like any other."""
    await proposed(bot)
    await bot.merge_by_hand(by="maria")
    merge = (await bot.incident()).merge
    assert merge is not None
    assert (merge.sha, merge.at) == (await bot.world.head(), bot.world.now())

    await recovered(bot)


async def reported_by_a_person(bot: Bot) -> None:
    """The label of somebody who may only read is no incident; a maintainer's is, once it names its service."""
    await bot.report("Something is slow", by="rita")
    assert await bot.incidents() == ()

    issue = await bot.report("Something is slow", by="maria")
    assert await bot.stage() is Stage.AWAITING_INFO
    asked = await bot.comments()
    await bot.rewrite(issue, "Since this morning.", by="maria")
    assert await bot.stage() is Stage.AWAITING_INFO
    assert await bot.comments() == asked
    bot.telemetry.open_signals.append(pool_signal())
    await bot.comment("It is quote.", by="rita")

    assert await bot.stage() is Stage.AWAITING_APPROVAL


TWO_APPROVALS = {CONFIG: seeded()[CONFIG].replace("low: {count: 1,", "low: {count: 2,")}
SCENES = {
    play.__name__: Scene(play, TWO_APPROVALS if play is pushed_to else {})
    for play in (
        approved_and_verified,
        refused_then_rejected,
        closed_and_reopened,
        pushed_to,
        approved_by_review,
        merged_by_hand,
        reported_by_a_person,
    )
}

"""What keeps an approval from counting keeps the merge from happening: one table for both moments."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from agents.incident import Stage
from agents.testing.shop import CONFIG, SETTINGS_FILE
from bot.testing import Bot, FakeWorld
from tests.inprocess.stages import at

CONFIG_FILE = ".github/sre-space.yml"
NEW_PLAN = "A new plan is made."
Change = Callable[[Bot], Awaitable[object]]


def world(bot: Bot) -> FakeWorld:
    """Return the fake world of a bot."""
    assert isinstance(bot.world, FakeWorld)
    return bot.world


async def pushed(bot: Bot) -> None:
    """Push to the branch of the fix, and lose the webhook of it."""
    await bot.world.pushes("wim", 2)
    await bot.world.requests()


async def closed(bot: Bot) -> None:
    """Close the pull request, and lose the webhook of it."""
    await bot.world.closes("wim", 2)
    await bot.world.requests()


async def config_changed(bot: Bot) -> None:
    """Change the configuration on the default branch."""
    world(bot).shop.commit("Allow more", {CONFIG_FILE: CONFIG.replace("maximum: 20", "maximum: 30")})


async def config_broken(bot: Bot) -> None:
    """Make the configuration unusable."""
    world(bot).shop.commit("Oops", {CONFIG_FILE: "version: 2\n"})


async def base_changed(bot: Bot) -> None:
    """Change the file that the fix edits."""
    world(bot).shop.set_pool(3)


async def history_rewritten(bot: Bot) -> None:
    """Rewrite the default branch, with the same files."""
    git = world(bot).github.git
    first = world(bot).shop.first
    git.branches["main"] = first
    git.commit({"README.md": "# Another history\n"}, message="Rewrite", author="dana", at=bot.world.now())
    other = git.commit({}, message="Orphan", author="dana", at=bot.world.now(), branch="main")
    git.commits[other] = git.commits[other].model_copy(update={"parents": ()})


async def expired(bot: Bot) -> None:
    """Let the plan's day pass."""
    await bot.world.wait(24 * 3600)


async def another_base(bot: Bot) -> None:
    """Point the pull request at another branch."""
    git = world(bot).github.git
    git.branches["release"] = git.branches["main"]
    world(bot).github.pulls[2].base_ref = "release"


async def unrelated(bot: Bot) -> None:
    """Change what the plan does not depend on."""
    world(bot).shop.write_docs()


@dataclass(frozen=True)
class Revocation:
    """Something that happens to an open plan: why it no longer holds, and whether a new plan takes its place."""

    change: Change
    why: str
    replans: bool


REVOCATIONS = {
    "a push": Revocation(pushed, "#2 holds commits that are not part of plan", replans=False),
    "a closed pull request": Revocation(closed, "#2 is closed.", replans=False),
    "a new configuration": Revocation(
        config_changed, "the repository's configuration changed since it was made.", replans=True
    ),
    "a broken configuration": Revocation(
        config_broken, "the repository's configuration cannot be used any more.", replans=True
    ),
    "another version of the file": Revocation(base_changed, f"{SETTINGS_FILE} changed on main", replans=True),
    "a rewritten history": Revocation(history_rewritten, "the history of main was rewritten", replans=True),
    "an expired plan": Revocation(expired, "it expired at", replans=True),
    "another base": Revocation(another_base, "#2 now goes into release, not main.", replans=True),
}


@pytest.mark.parametrize("name", REVOCATIONS)
async def test_a_plan_that_no_longer_holds_cannot_be_approved(name: str):
    """The reply says why; a plan that is revoked is replaced, and nothing is merged."""
    revocation = REVOCATIONS[name]
    async with at(Stage.AWAITING_APPROVAL) as bot:
        await revocation.change(bot)
        comment = await bot.comment("/approve", by="maria")
        assert "merge" not in bot.calls
        assert any(revocation.why in body for body in await bot.comments())
        assert await bot.world.reactions(comment) == ("eyes", "-1")
        assert any(NEW_PLAN in entry.note for entry in (await bot.incident()).timeline) is revocation.replans


@pytest.mark.parametrize("name", REVOCATIONS)
async def test_a_plan_that_no_longer_holds_is_not_merged_although_it_was_approved(name: str):
    """Between the approval and the merge everything is asked again, live."""
    revocation = REVOCATIONS[name]
    async with at(Stage.APPROVED) as bot:
        await revocation.change(bot)
        await bot.settle()
        assert "merge" not in bot.calls
        notes = [entry.note for entry in (await bot.incident()).timeline]
        assert any(revocation.why.replace("`", "") in note.replace("`", "") for note in notes)
        assert any(NEW_PLAN in note for note in notes) is revocation.replans


@pytest.mark.parametrize("stage", [Stage.AWAITING_APPROVAL, Stage.APPROVED])
async def test_an_unrelated_commit_revokes_nothing(stage: Stage):
    """On a busy repository nothing could ever be approved otherwise."""
    async with at(stage) as bot:
        await unrelated(bot)
        if stage is Stage.AWAITING_APPROVAL:
            await bot.comment("/approve", by="maria")
        await bot.settle()
        assert await bot.stage() is Stage.VERIFYING


async def _loses_permission(bot: Bot) -> None:
    await bot.world.grants("maria", "read")


async def _edits(bot: Bot) -> None:
    world(bot).github.edits(_approval(bot), "/approve, on second thoughts not")


async def _deletes(bot: Bot) -> None:
    world(bot).github.deletes(_approval(bot))


def _approval(bot: Bot) -> int:
    return next(number for number, (_, found) in world(bot).github.comments.items() if found.body == "/approve")


@pytest.mark.parametrize("change", [_loses_permission, _edits, _deletes])
async def test_an_approval_that_no_longer_holds_does_not_merge(change: Change):
    """Permission lost, comment edited, comment deleted: the plan waits for approval again and says whose is gone."""
    async with at(Stage.APPROVED) as bot:
        await change(bot)
        await bot.settle()
        incident = await bot.incident()
        assert "merge" not in bot.calls
        assert (incident.stage, incident.approvals) == (Stage.AWAITING_APPROVAL, ())
        assert incident.timeline[-1].note == ("No longer approved: the approval by maria does not hold any more.")


async def test_a_merge_that_github_puts_off_is_tried_again_and_said_once():
    """First try and retry ask the same questions; the timeline has one entry for the wait."""
    async with at(Stage.APPROVED) as bot:
        world(bot).github.merge_blocked = "1 of 2 required status checks has not succeeded"
        await bot.wait(65)
        incident = await bot.incident()
        assert incident.stage is Stage.APPROVED
        assert bot.calls.count("merge") > 1
        notes = [entry.note for entry in incident.timeline]
        waits = "Approved, but GitHub does not merge yet: 1 of 2 required status checks has not succeeded"
        assert notes.count(waits) == 1
        assert notes.count("Approved by maria; everything still holds.") == 1

        await _loses_permission(bot)
        tried = bot.calls.count("merge")
        await bot.wait(65)
        assert bot.calls.count("merge") == tried
        assert await bot.stage() is Stage.AWAITING_APPROVAL

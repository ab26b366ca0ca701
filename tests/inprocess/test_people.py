"""What people do on GitHub besides commands: reviews, pushes, merges, closing and opening again."""

import pytest

from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.testing import Bot


@pytest.fixture
async def waiting(bot: Bot) -> Bot:
    """A bot whose fix waits for approval."""
    await bot.signal(pool_signal())
    return bot


async def test_an_approving_review_merges_the_fix(waiting: Bot):
    """As `/approve` does."""
    await waiting.review()
    assert (await waiting.incident()).approvals[0].login == "maria"
    await waiting.deploy("quote")
    await waiting.traffic("quote", "gateway", "pricing")
    assert (await waiting.until(Stage.RESOLVED)).merge is not None


async def test_a_review_that_asks_for_changes_is_no_approval(waiting: Bot):
    """The fix still waits."""
    await waiting.review("changes_requested")
    assert await waiting.stage() is Stage.AWAITING_APPROVAL
    with pytest.raises(AssertionError, match="verifying was not reached: awaiting_approval"):
        await waiting.until(Stage.VERIFYING, within_s=5)


async def test_a_push_to_the_fix_is_noticed_and_nothing_is_merged(waiting: Bot):
    """What was proposed is not what is there any more."""
    await waiting.push(by="wim")
    assert "merge" not in waiting.calls
    await waiting.comment("/approve")
    assert "merge" not in waiting.calls


async def test_a_merge_by_hand_counts_as_the_merge_and_is_verified(waiting: Bot):
    """Nothing is merged a second time."""
    await waiting.merge_by_hand(by="wim")
    assert await waiting.stage() is Stage.VERIFYING
    assert "merge" not in waiting.calls


async def test_an_issue_that_is_closed_and_opened_again_is_told_so_once(waiting: Bot):
    """The incident has ended: nothing is proposed or merged behind people's backs."""
    number = (await waiting.incident()).issue or 0
    await waiting.close(number)
    assert await waiting.stage() is Stage.DISMISSED
    await waiting.reopen(number)
    assert await waiting.stage() is Stage.DISMISSED
    assert waiting.calls.count("propose_change") == 1
    await waiting.comment("/approve", on=number)
    assert "merge" not in waiting.calls


async def test_every_change_of_stage_is_seen_by_the_driver(waiting: Bot):
    """From nothing to the first stage, and so on to the last one."""
    saves = waiting.saves()
    assert saves[0][0] is None
    stages = list(dict.fromkeys(after.stage for _, after in saves))
    assert stages[0] is Stage.OPENING
    assert stages[-1] is Stage.AWAITING_APPROVAL

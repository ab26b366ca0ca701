"""An issue that somebody closes before the bot has stored its number."""

import pytest

from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.testing import Bot, KilledError


async def test_an_issue_that_is_closed_before_its_number_is_stored_dismisses_the_incident(bot: Bot):
    """The worker dies between GitHub's answer and the database; the person's word counts, and no second issue comes."""
    bot.kill_at("after open_issue")
    with pytest.raises(KilledError):
        await bot.signal(pool_signal())
    await bot.restart()
    await bot.world.requests()  # the webhooks of the opening come later, or never
    await bot.world.closes("wim", 1)

    await bot.wait(60)

    incident = await bot.incident()
    assert (incident.stage, incident.issue) == (Stage.DISMISSED, 1)
    assert incident.timeline[-1].note == "wim closed the issue."
    github = bot.world.github
    assert list(github.issues) == [1]
    assert not github.issues[1].open
    assert github.pulls == {}
    assert await bot.store.inbox.pending() == ()

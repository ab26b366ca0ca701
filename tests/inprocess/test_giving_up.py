"""What fails again and again is given up: once, with people told, and nothing else held up by it."""

from agents.errors import ForgeUnavailableError
from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.db.rows import Status
from bot.testing import Bot

PATIENCE_S = 2 * 3600
STEP_S = 300


class Broken:
    """Makes every call of a method of the forge fail, however often."""

    def __init__(self, bot: Bot, method: str) -> None:
        self.tried = 0
        forge = bot.world.forge
        self._give_back = getattr(forge, method)
        self._method = method
        setattr(forge, method, self._fail)
        self._forge = forge

    async def _fail(self, *_args: object, **_kwargs: object) -> None:
        self.tried += 1
        raise ForgeUnavailableError("502 Bad Gateway")

    def mend(self) -> None:
        """Let it work again."""
        setattr(self._forge, self._method, self._give_back)


async def test_a_write_that_never_succeeds_hands_the_incident_to_people_and_says_why(bot: Bot):
    """Twenty tries, then once on the issue; nothing is merged later behind people's backs."""
    await bot.signal(pool_signal())
    broken = Broken(bot, "merge")
    await bot.comment("/approve")
    await bot.wait(PATIENCE_S, step=STEP_S)

    assert broken.tried == 20
    incident = await bot.incident()
    assert incident.stage is Stage.ESCALATED
    assert incident.timeline[-1].note == "I gave up after many tries: 502 Bad Gateway"
    told = await bot.comments()
    assert told[0].startswith("## Handed over to people")
    assert sum("I gave up after many tries: 502 Bad Gateway" in comment for comment in told[1:]) == 1
    broken.mend()
    await bot.wait(PATIENCE_S, step=STEP_S)
    assert await bot.comments() == told
    assert (await bot.incident()).merge is None


async def test_a_delivery_that_never_succeeds_fails_with_its_last_reason_and_the_incident_goes_on(bot: Bot):
    """Ten tries; another command is taken afterwards."""
    await bot.signal(pool_signal())
    broken = Broken(bot, "comment")
    await bot.comment("/approve")
    (row,) = await bot.store.inbox.pending()
    await bot.wait(PATIENCE_S, step=STEP_S)

    assert broken.tried == 10
    found = await bot.store.inbox.get(row.id)
    assert found is not None
    assert (found.status, found.note) == (Status.FAILED, "502 Bad Gateway")
    assert await bot.stage() is Stage.AWAITING_APPROVAL
    broken.mend()
    await bot.comment("/approve")
    assert await bot.stage() is Stage.VERIFYING
    system = await bot.read("/api/system")
    assert (system["inbox"]["failed"], system["inbox"]["pending"]) == (1, 0)


async def test_an_incident_that_is_taken_up_in_vain_is_handed_to_people_and_not_woken_any_more(bot: Bot):
    """After ten wakes without progress, by the sweeper's count."""
    await bot.signal(pool_signal())
    await bot.comment("/approve")
    await bot.deploy("quote")
    incident = await bot.incident()
    assert incident.stage is Stage.VERIFYING

    async def stuck(_: str) -> None:
        """Do nothing, as a worker that is killed each time."""

    bot.work.lanes.advance = stuck
    await bot.wait(PATIENCE_S, step=STEP_S)

    last = await bot.incident()
    assert last.stage is Stage.ESCALATED
    reason = "it was taken up again and again without getting any further"
    assert last.timeline[-1].note == f"I gave up after many tries: {reason}"
    assert sum(entry.stage is Stage.ESCALATED for entry in last.timeline) == 1


async def test_what_belongs_to_an_incident_that_has_ended_is_given_up_in_silence(bot: Bot):
    """The issue is closed by then: there is nothing for people to do."""
    await bot.signal(pool_signal())
    number = (await bot.incident()).issue or 0
    broken = Broken(bot, "close_pull")
    await bot.close(number)
    assert await bot.stage() is Stage.DISMISSED
    told = await bot.comments(number)
    await bot.wait(PATIENCE_S, step=STEP_S)

    assert broken.tried == 20
    assert await bot.stage() is Stage.DISMISSED
    assert await bot.comments(number) == told

"""Signals on their way from the bus into the inbox: none is lost, none is taken twice, rubbish stops nothing."""

from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.queue.port import QueueUnavailableError
from bot.testing import Bot
from bot.topics import SIGNALS


async def test_a_message_that_is_no_signal_is_passed_over(bot: Bot):
    """The next one is taken."""
    for rubbish in (b"", b"{}", b"\xff\xfe", b"\x28\xb5\x2f\xfd broken"):
        await bot.bus.publish(SIGNALS, "g1", rubbish)
    await bot.signal(pool_signal())
    assert await bot.stage() is Stage.AWAITING_APPROVAL


async def test_a_signal_that_comes_twice_opens_one_incident(bot: Bot):
    """The bus brings each at least once."""
    await bot.signal(pool_signal())
    told = await bot.comments()
    await bot.signal(pool_signal())
    assert len(await bot.incidents()) == 1
    assert await bot.comments() == told


async def test_a_signal_whose_wake_up_is_lost_is_found_by_the_sweeper(bot: Bot):
    """It is stored by then."""
    enqueue = bot.queue.enqueue

    async def silent(*_args: object, **_more: object) -> bool:
        raise QueueUnavailableError("connection refused")

    bot.queue.enqueue = silent
    await bot.signal(pool_signal())
    assert await bot.incidents() == ()
    assert len(await bot.store.inbox.pending()) == 1
    bot.queue.enqueue = enqueue
    await bot.wait(15)
    assert await bot.stage() is Stage.AWAITING_APPROVAL

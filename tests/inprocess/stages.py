"""Incidents in every stage: a life is played, and the worker dies as soon as the stage is stored."""

import contextlib
from collections.abc import AsyncIterator

from agents.incident import Stage
from agents.testing.scenarios import pool_signal
from bot.testing import Bot, KilledError

SERVICES = ("quote", "gateway", "pricing")
TAKEN_BACK = frozenset({Stage.REVERTING, Stage.ESCALATED})


async def play(bot: Bot, stage: Stage) -> None:
    """Play the life that leads through `stage`, to its end."""
    if stage is Stage.AWAITING_INFO:
        await bot.report("Something is slow")
        return
    await bot.signal(pool_signal())
    if stage is Stage.DISMISSED:
        await bot.close((await bot.incident()).issue or 0)
        return
    await bot.comment("/approve")
    await bot.deploy("quote")
    failing = 0.5 if stage in TAKEN_BACK else 0.0
    await bot.traffic(*SERVICES, failing=failing)
    if failing:
        await bot.wait(900, step=120)


@contextlib.asynccontextmanager
async def at(stage: Stage) -> AsyncIterator[Bot]:
    """Yield a bot whose only incident has just come to `stage`; a new worker has done nothing yet."""
    async with Bot() as bot:
        bot.kill_at(f"saved {stage}")
        with contextlib.suppress(KilledError):
            await play(bot, stage)
        await bot.restart()
        await bot.world.requests()  # what led here is told already
        assert await bot.stage() is stage
        yield bot

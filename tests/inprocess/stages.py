"""Incidents in every stage: a life is played, and the worker dies as soon as the stage is stored."""

import contextlib
from collections.abc import AsyncIterator

from agents.incident import Stage
from agents.stages import ACTS
from agents.testing.scenarios import pool_signal
from bot.testing import Bot, KilledError
from bot.testing.snapshot import Snapshot, resumed, take

SERVICES = ("quote", "gateway", "pricing")
TAKEN_BACK = frozenset({Stage.REVERTING, Stage.ESCALATED})
RESTS = frozenset(Stage) - frozenset(ACTS) - {Stage.OPENING, Stage.PROPOSING, Stage.MERGING}
"""In these stages the incident waits for people, or has ended: what was to be written is written by then."""

_played: dict[Stage, Snapshot] = {}


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


async def _snapshot(stage: Stage) -> Snapshot:
    async with Bot() as bot:
        bot.kill_at(f"saved {stage}")
        with contextlib.suppress(KilledError):
            await play(bot, stage)
        await bot.restart()
        if stage in RESTS:
            await bot.settle()
        await bot.world.requests()  # what led here is told already
        assert await bot.stage() is stage
        return await take(bot)


@contextlib.asynccontextmanager
async def at(stage: Stage) -> AsyncIterator[Bot]:
    """Yield a bot whose only incident has just come to `stage`; a new worker has done nothing yet."""
    if stage not in _played:
        _played[stage] = await _snapshot(stage)
    async with await resumed(_played[stage]) as bot:
        yield bot

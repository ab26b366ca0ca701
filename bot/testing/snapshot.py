"""A bot's whole state at one moment, from which as many bots can go on as a test wants."""

import copy
from dataclasses import dataclass

from agents.testing.memory import FakeMemory
from agents.testing.telemetry import FakeTelemetry
from bot.testing.driver import Bot
from bot.testing.schema import in_driver
from bot.testing.world import World


@dataclass(frozen=True)
class Snapshot:
    """The world, what telemetry and memory tell, and the database as SQLite's own bytes. Nothing waits in the queue."""

    world: World
    telemetry: FakeTelemetry
    memory: FakeMemory
    database: bytes


async def take(bot: Bot) -> Snapshot:
    """Return the state of a bot; it is not changed by what the bot does later."""
    world, telemetry, memory = copy.deepcopy((bot.world, bot.telemetry, bot.memory))
    return Snapshot(world, telemetry, memory, await in_driver(bot.database, "serialize"))


async def resumed(snapshot: Snapshot) -> Bot:
    """Return a bot, not yet entered, that goes on from a snapshot."""
    world, telemetry, memory = copy.deepcopy((snapshot.world, snapshot.telemetry, snapshot.memory))
    bot = Bot(world, memory=memory, telemetry=telemetry)
    await in_driver(bot.database, "deserialize", snapshot.database)
    return bot

"""The whole bot in one process over the shipped fakes: comment in, exact comment and stored state out."""

from bot.testing.driver import Bot
from bot.testing.killing import KilledError
from bot.testing.world import FakeWorld, World

__all__ = ["Bot", "FakeWorld", "KilledError", "World"]

"""Long work in steps: an event loop that runs it can do something else after each."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Work that pauses now and then and returns its result at the end."""


def whole(steps: Steps[T]) -> T:
    """Do all of the steps at once and return the result."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


async def in_turns(steps: Steps[T]) -> T:
    """Do the steps, let the event loop run after each, and return the result.

    When it is cancelled, `steps` stays where it paused: the caller may do the rest with `whole`.
    """
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
        await asyncio.sleep(0)

"""Answers that many clients ask for at once are computed once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

KEPT = 64


class Shared(Generic[T]):
    """Keeps the newest answers by key. The key names everything that the answer depends on."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """Return the answer for `key`, which is loaded by the first who asks; a failure is not kept."""
        task = self._answers.get(key)
        if task is None:
            task = asyncio.ensure_future(_run(load))
            self._answers[key] = task
            while len(self._answers) > KEPT:
                self._answers.pop(next(iter(self._answers)))
        try:
            return await asyncio.shield(task)
        except Exception:
            if self._answers.get(key) is task:
                del self._answers[key]
            raise


async def _run(load: Callable[[], Awaitable[T]]) -> T:
    return await load()

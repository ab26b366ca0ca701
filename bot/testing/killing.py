"""SIGKILL in process: at a chosen moment the worker stops dead, and nothing that it does afterwards takes effect."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from agents.ports import Forge
from bot.db.engine import Database


class KilledError(BaseException):
    """The process is dead. No handler of ours may catch it, so it is no `Exception`."""


class KillSwitch:
    """Knows whether the process lives, when it is to die, and how often it has died."""

    def __init__(self) -> None:
        self.dead = False
        self.deaths = 0
        self._armed: str | None = None

    def arm(self, moment: str) -> None:
        """Die at `moment`: `before merge` and `after merge` are calls to GitHub, `saved merging` is a stored stage."""
        self._armed = moment

    def revive(self) -> None:
        """Start anew; nothing is armed."""
        self.dead, self._armed = False, None

    def pass_by(self, moment: str) -> None:
        """Die if this is the moment, or if the process is dead already. Raises KilledError."""
        if moment == self._armed and not self.dead:
            self.dead = True
            self.deaths += 1
        self.check()

    def check(self) -> None:
        """Raise KilledError if the process is dead."""
        if self.dead:
            raise KilledError


class MortalDatabase(Database):
    """A database that a dead process cannot reach any more; what was open is rolled back."""

    def __init__(self, url: str, switch: KillSwitch) -> None:
        super().__init__(url)
        self._switch = switch

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """See `Database.read`."""
        self._switch.check()
        async with super().read() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """See `Database.write`."""
        self._switch.check()
        async with super().write() as connection:
            yield connection
            self._switch.check()


class _Tapped:
    """Every method of a forge, with its moments before and after, and a note of each call."""

    def __init__(self, forge: Forge, switch: KillSwitch, calls: list[str]) -> None:
        self._forge = forge
        self._switch = switch
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Awaitable[Any]] = getattr(self._forge, name)

        async def tapped(*args: Any, **kwargs: Any) -> Any:
            self._switch.pass_by(f"before {name}")
            self._calls.append(name)
            answer = await method(*args, **kwargs)
            self._switch.pass_by(f"after {name}")
            return answer

        return tapped


def tapped(forge: Forge, switch: KillSwitch, calls: list[str]) -> Forge:
    """Return `forge` so that the switch knows of each call; the names of the calls go to `calls`, in order."""
    return cast("Forge", _Tapped(forge, switch, calls))

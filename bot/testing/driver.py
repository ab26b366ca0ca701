"""`Bot`: what people, GitHub and telemetry do, each followed by everything that the bot does about it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from agents.incident import Incident, Stage
from bot.testing.engine import Engine
from bot.testing.shop_telemetry import deployed, reports_of
from bot.topics import SIGNALS, packed
from telemetry.model import GroupStatus, Signal


class Bot(Engine):
    """The whole bot under test: `async with Bot() as bot: await bot.signal(…); await bot.comment("/approve")`.

    Acts are coroutines; what they led to can be read at once.
    """

    # What is there.

    async def incidents(self) -> tuple[Incident, ...]:
        """Return the stored incidents, oldest first."""
        return tuple(reversed(await self.store.list_incidents()))

    async def incident(self) -> Incident:
        """Return the only stored incident.

        Raises:
            ValueError: there is none, or several.
        """
        (found,) = await self.incidents()
        return found

    async def stage(self) -> Stage:
        """Return the stage of the only incident."""
        return (await self.incident()).stage

    async def comments(self, number: int | None = None) -> tuple[str, ...]:
        """Return the comments of an issue or pull request, without number those of the only incident's issue."""
        return await self.world.comments(number or (await self.incident()).issue or 0)

    async def last_comment(self, number: int | None = None) -> str:
        """Return the newest comment."""
        return (await self.comments(number))[-1]

    # What happens.

    async def signal(self, signal: Signal) -> None:
        """Let Scout publish a signal on the bus."""
        self.telemetry.groups[signal.group_id] = GroupStatus(group_id=signal.group_id, open=True, anomalies=())
        await self.bus.publish(SIGNALS, signal.group_id, packed(signal))
        await self.settle()

    async def comment(self, body: str, *, by: str = "maria", on: int | None = None) -> int:
        """Let somebody comment, on the only incident's issue unless told; return the comment's id."""
        comment_id = await self.world.says(by, on or (await self.incident()).issue or 0, body)
        await self.settle()
        return comment_id

    async def report(self, title: str, body: str = "", *, by: str = "maria", label: str | None = None) -> int:
        """Let somebody open an issue with the incident label; return its number."""
        number = await self.world.opens(by, title, body, (label or self.settings.incident_label,))
        await self.settle()
        return number

    async def rewrite(self, number: int, body: str, *, by: str = "maria") -> None:
        """Let somebody change the text of an issue."""
        await self.world.rewrites(by, number, body)
        await self.settle()

    async def close(self, number: int, *, by: str = "maria") -> None:
        """Let somebody close an issue, or a pull request without merging it."""
        await self.world.closes(by, number)
        await self.settle()

    async def reopen(self, number: int, *, by: str = "maria") -> None:
        """Let somebody open an issue or a pull request again."""
        await self.world.reopens(by, number)
        await self.settle()

    async def review(self, state: str = "approved", *, by: str = "maria", on: int | None = None) -> int:
        """Let somebody review the fix; return the review's id."""
        review_id = await self.world.reviews(by, on or await self.fix(), state)
        await self.settle()
        return review_id

    async def push(self, *, by: str = "maria", on: int | None = None) -> None:
        """Let somebody push a commit to the fix."""
        await self.world.pushes(by, on or await self.fix())
        await self.settle()

    async def merge_by_hand(self, *, by: str = "maria", on: int | None = None) -> None:
        """Let somebody merge the fix on GitHub."""
        await self.world.merges(by, on or await self.fix())
        await self.settle()

    async def fix(self) -> int:
        """Return the number of the only incident's pull request, 0 without one."""
        pull = (await self.incident()).pull_request
        return pull.number if pull else 0

    async def deploy(self, service: str, revision: str | None = None) -> None:
        """Show in telemetry that a service runs a revision, the head of the default branch unless told."""
        deployed(self.telemetry, service, revision or await self.world.head(), self.world.now())
        await self.settle()

    async def traffic(self, *services: str, failing: float = 0.0, windows: int = 5, requests: int = 1500) -> None:
        """Show windows of a minute each from now on, of every operation of these services, and let them pass.

        `failing` is the share of requests that fail, 0 to 1; without `requests` the windows hold no data.
        """
        start = self.world.now()
        for service in services:
            self.telemetry.answers[service] = reports_of(start, windows=windows, requests=requests, failing=failing)
        await self.wait(60 * windows + 5, step=30)

    async def until(self, stage: Stage, *, within_s: float = 120) -> Incident:
        """Let time pass until the only incident is in `stage`.

        Raises:
            AssertionError: it does not come there in time.
        """
        deadline = self.world.now() + timedelta(seconds=within_s)
        while (found := await self.incident()).stage is not stage:
            if self.world.now() > deadline:
                raise AssertionError(f"{stage} was not reached: {found.stage}")
            await self.wait(2)
        return found

    # What it did.

    def saves(self) -> Sequence[tuple[Incident | None, Incident]]:
        """Return every stored change so far: the incident before and after it."""
        return list(self.observer.saves)

    async def read(self, path: str) -> Any:
        """Return what the dashboard's API answers."""
        return (await self.web.get(path)).raise_for_status().json()

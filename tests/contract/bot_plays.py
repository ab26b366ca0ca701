"""Plays of the whole bot in one of two worlds, and what is kept of each for comparison."""

import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from agents.incident import Stage
from agents.testing.shop import Shop
from bot.events import ACTIONS
from bot.testing import Bot, FakeWorld, World
from bot.testing.world import Request
from infra.sandbox.demo.world import SEED
from infra.sandbox.github.seed import seed_files
from tests.contract.sandbox_world import sandbox_world

CONFIG = ".github/sre-space.yml"
WORLDS = ("fake", "sandbox")
_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{7,40}(?![0-9A-Za-z])")
_HOST = re.compile(r"https?://(github\.test|127\.0\.0\.1:\d+)(?=/)")


@dataclass(frozen=True)
class Scene:
    """A scenario: what happens and is asserted, and the repository's files that it wants otherwise."""

    play: Callable[[Bot], Awaitable[None]]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Sent:
    """A webhook of an event that the bot reads."""

    event: str
    payload: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The event and its action: `issues.opened`."""
        return f"{self.event}.{self.payload['action']}"


@dataclass(frozen=True)
class Record:
    """What is kept of a play: the stages of its incidents, what people see, and the webhooks in their order."""

    stages: tuple[Stage, ...]
    shown: tuple[str, ...]
    sent: tuple[Sent, ...]


class Heard:
    """A world that remembers the webhooks that it sent."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.heard: list[Request] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    async def requests(self) -> tuple[Request, ...]:
        """See `World.requests`."""
        found = await self._world.requests()
        self.heard += found
        return found

    def sent(self) -> tuple[Sent, ...]:
        """Return those that the bot reads."""
        kept = [(hook.headers["x-github-event"], hook.body) for hook in self.heard]
        return tuple(Sent(event, json.loads(body)) for event, body in kept if event in ACTIONS)


@cache
def seeded() -> Mapping[str, str]:
    """Return the files of the sandbox's shop."""
    return {path: content.decode() for path, _, content in seed_files(SEED)}


@contextlib.asynccontextmanager
async def world_of(kind: str, folder: Path, files: Mapping[str, str]) -> AsyncIterator[World]:
    """Yield the fake world or the sandbox with these files."""
    if kind == "fake":
        yield FakeWorld(Shop(files=files))
        return
    async with sandbox_world(folder, files) as world:
        yield world


class Plays:
    """Plays every scenario once in each world, however many tests want to see its record."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records: dict[tuple[str, str], Record] = {}

    async def record(self, scene: Scene, kind: str) -> Record:
        """Return the record of a scenario; raises what it raises."""
        name = scene.play.__name__
        if (kind, name) not in self._records:
            self._records[kind, name] = await self._play(scene, kind, self._folder / f"{kind}-{name}")
        return self._records[kind, name]

    async def _play(self, scene: Scene, kind: str, folder: Path) -> Record:
        async with world_of(kind, folder, {**seeded(), **scene.files}) as world:
            heard = Heard(world)
            async with Bot(heard) as bot:
                await scene.play(bot)
                stages = tuple(
                    after.stage for before, after in bot.saves() if not before or before.stage != after.stage
                )
                return Record(stages, same_names(await _shown(bot)), heard.sent())


async def _shown(bot: Bot) -> list[str]:
    """Return what people see of each incident: its issue, and the comments on the issue and on the fix."""
    shown: list[str] = []
    for incident in await bot.incidents():
        issue = await bot.world.forge.issue(incident.repo, incident.issue or 0)
        assert issue is not None
        shown.append(f"{issue.title}\n{', '.join(issue.labels)}\nopen: {issue.open}\n{issue.body.partition('<!--')[0]}")
        for number in filter(None, (incident.issue, incident.pull_request and incident.pull_request.number)):
            shown += await bot.world.comments(number)
    return shown


def same_names(texts: list[str]) -> tuple[str, ...]:
    """Return the texts with `<1>`, `<2>` … for SHAs and ids, long or short, in the order of their appearance."""
    known: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return known.setdefault(found[0][:7], f"<{len(known) + 1}>")

    return tuple(_HEX.sub(named, _HOST.sub("https://github.test", text.replace("\u200b", ""))) for text in texts)

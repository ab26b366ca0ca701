"""The bot as production builds it, over fakes: one process, whose time, webhooks and death are in a test's hands."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Self

import httpx

from agents.incident import Incident
from agents.testing.memory import FakeMemory
from agents.testing.telemetry import FakeTelemetry
from bot.app.web import WebAdapters, build_web
from bot.app.work import Adapters, Work, build_work
from bot.db.store import Store
from bot.observability.observer import Observer
from bot.queue.memory import MemoryQueue
from bot.settings import Settings, load_settings
from bot.testing.bus import WatchedBus
from bot.testing.killing import KilledError, KillSwitch, MortalDatabase, tapped
from bot.testing.schema import prepare
from bot.testing.world import FakeWorld, Request, World

WEBHOOKS = "/webhooks/github"
ROUNDS = 500
"""More rounds than anything needs: what goes on for longer goes round in circles."""


class _Watching(Observer):
    """Notes every stored change of an incident, and is a moment at which the process may die."""

    __slots__ = ("saves", "switch")

    def __init__(self, switch: KillSwitch) -> None:
        super().__init__()
        object.__setattr__(self, "switch", switch)  # the base is frozen
        object.__setattr__(self, "saves", [])

    def saved(self, before: Incident | None, after: Incident) -> None:
        """See `Observer.saved`."""
        super().saved(before, after)
        self.saves.append((before, after))
        self.switch.pass_by(f"saved {after.stage}")


class Engine:
    """Web application, inbox, lanes, graph, outbox and sweeper over a database in memory.

    Nothing happens by itself: `settle` does everything that is due without the clock moving, `wait` moves the clock.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        memory: FakeMemory | None = None,
        telemetry: FakeTelemetry | None = None,
        **settings: object,
    ) -> None:
        self.world: World = world or FakeWorld()
        self.memory = memory or FakeMemory()
        self.telemetry = telemetry or FakeTelemetry()
        self.calls: list[str] = []
        self.lose_webhooks = False
        self.switch = KillSwitch()
        self.settings = self._settings(settings)
        self.queue = MemoryQueue(self.world.now)
        self.bus = WatchedBus()
        self.observer = _Watching(self.switch)
        self.database = MortalDatabase("sqlite+aiosqlite://", self.switch)
        self.store = Store(self.database, self.world.now)
        self.work: Work = self._build()
        self._stack = contextlib.AsyncExitStack()
        self._intake: asyncio.Task[None] | None = None

    def _settings(self, changes: dict[str, object]) -> Settings:
        given: dict[str, object] = {
            "repository": self.world.repo.full_name,
            "github_webhook_secret": self.world.secret,
            "web_host": "127.0.0.1",
            **changes,
        }
        return load_settings(_env_file=None, **given)

    def _build(self) -> Work:
        adapters = Adapters(
            store=self.store,
            queue=self.queue,
            forge=tapped(self.world.forge, self.switch, self.calls),
            memory=self.memory,
            telemetry=self.telemetry,
            now=self.world.now,
            observer=self.observer,
        )
        return build_work(self.settings, adapters, "worker")

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self.database.aclose)
        await prepare(self.database)
        adapters = WebAdapters(store=self.store, queue=self.queue, now=self.world.now)
        transport = httpx.ASGITransport(build_web(self.settings, adapters).app)
        self.web = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")
        )
        self._start_intake()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self.switch.revive()
        await self._stop_intake()
        await self._stack.aclose()

    def _start_intake(self) -> None:
        loops = self.work.loops(self.bus, asyncio.Event())
        loops["sweeper"].close()  # `settle` sweeps
        self._intake = asyncio.create_task(loops["intake"], name="intake")

    async def _stop_intake(self) -> None:
        if self._intake is not None:
            self._intake.cancel()
            with contextlib.suppress(asyncio.CancelledError, KilledError):
                await self._intake

    # Time, and what the bot does with it.

    async def wait(self, seconds: float, *, step: float = 5.0) -> None:
        """Let time pass in steps, and after each step everything happen that is due."""
        until = self.world.now() + timedelta(seconds=seconds)
        await self.settle()
        while (left := (until - self.world.now()).total_seconds()) > 0:
            await self.world.wait(min(step, left))
            await self.settle()

    async def settle(self) -> None:
        """Deliver webhooks and messages, run jobs one by one and sweep, until nothing is left to do at this moment.

        Raises:
            KilledError: the process dies meanwhile; `restart` brings another.
            BaseException: whatever else a job raised.
        """
        for _ in range(ROUNDS):
            delivered = await self._deliver()
            await self.drain()
            if not self.queue.due:
                await self.work.sweeper.sweep()
            if not delivered and not self.queue.due:
                return
            await self.queue.run_next(self.work.jobs)
        raise AssertionError("the bot goes round in circles")

    async def drain(self) -> None:
        """Wait until intake has taken what is on the bus."""
        drained = asyncio.create_task(self.bus.drained())
        await asyncio.wait({drained, *([self._intake] if self._intake else [])}, return_when=asyncio.FIRST_COMPLETED)
        drained.cancel()
        if self._intake is not None and self._intake.done():
            self._intake.result()

    async def _deliver(self) -> bool:
        requests = await self.world.requests()
        for request in () if self.lose_webhooks else requests:
            (await self.post(request)).raise_for_status()
        return bool(requests)

    async def post(self, request: Request) -> httpx.Response:
        """Send a webhook to the web application."""
        return await self.web.post(WEBHOOKS, content=request.body, headers=dict(request.headers))

    # Death.

    def kill_at(self, moment: str) -> None:
        """Let the worker die at a moment (see `KillSwitch.arm`): the act that leads there raises KilledError."""
        self.switch.arm(moment)

    async def restart(self, *, after_s: float | None = None) -> None:
        """Start another worker once the dead one's leases have ended, or after `after_s` seconds."""
        await self._stop_intake()
        self.switch.revive()
        await self.world.wait(self.settings.lease_s + 1 if after_s is None else after_s)
        self.work = self._build()
        self._start_intake()

"""The working half of the bot: lanes, sweeper and intake, put together from adapters that are open already."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.brain import brain
from agents.cag import cag
from agents.curator import curator
from agents.fixer import fixer
from agents.graph import Graph, build_graph
from agents.guardrail import guardrail
from agents.human import human
from agents.incident import Agent, Incident, RepoRef
from agents.jules import jules
from agents.opinion import SecondOpinion
from agents.ports import Forge, Memory, Now, Step, Telemetry
from agents.scout import scout
from agents.writes import AnyWrite, Result
from bot.app.access import marker_secret
from bot.app.clock import utc_now
from bot.comments import Texts
from bot.db.store import Store
from bot.delivery import deliver
from bot.giving_up import giving_up
from bot.handlers.deps import Deps
from bot.intake import take_signals
from bot.lane import Lanes
from bot.markers import Markers
from bot.observability.observer import Observer
from bot.pausing import pausing
from bot.queue.memory import Job
from bot.queue.port import Queue
from bot.routing import Router
from bot.settings import Settings
from bot.sweeper import Sweeper, SweepPolicy
from telemetry.bus import Bus
from telemetry.model import Signal


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Adapters:
    """What the working half reaches the world with. `is_short` says whether this process is short of memory."""

    store: Store
    queue: Queue
    forge: Forge
    memory: Memory
    telemetry: Telemetry
    second: SecondOpinion | None = None
    now: Now = utc_now
    observer: Observer = field(default_factory=Observer)
    is_short: Callable[[], bool] = _never


@dataclass(frozen=True)
class Work:
    """The working half. `name` tells this worker from others."""

    adapters: Adapters
    lanes: Lanes
    sweeper: Sweeper
    name: str

    @property
    def jobs(self) -> Mapping[str, Job]:
        """Return the functions of the jobs that the queue brings."""
        return {"process_delivery": self.lanes.process_delivery, "advance": self.lanes.advance}

    def loops(self, bus: Bus, stop: asyncio.Event) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return what runs beside the jobs, by name; each runs until it is cancelled or fails.

        A reconciler, which asks GitHub for deliveries that were missed, has its place here.
        """
        adapters = self.adapters
        return {
            "sweeper": self.sweeper.run(stop),
            "intake": take_signals(bus, adapters.store.inbox, adapters.queue, self.name),
        }


def build_work(settings: Settings, adapters: Adapters, name: str) -> Work:
    """Return the working half for these settings over these adapters.

    Raises:
        SettingsError: there is no webhook secret, which also signs our marks.
    """
    markers = Markers(marker_secret(settings))
    texts = Texts(markers, label=settings.incident_label, dashboard_url=settings.dashboard_url)

    async def home(signal: Signal) -> RepoRef:
        del signal  # one repository takes every tenant's incidents until there is a mapping
        return await adapters.forge.resolve("/".join(settings.require_repository()))

    async def carry_out(incident: Incident, write: AnyWrite) -> Result:
        return await deliver(incident, write, adapters.forge, texts)

    deps = Deps(forge=adapters.forge, now=adapters.now, markers=markers, label=settings.incident_label, repo_of=home)
    router = Router(adapters.store, deps)
    lanes = Lanes(
        adapters.store,
        build_agents(adapters),
        route=router.route,
        handle=router.handle,
        deliver=carry_out,
        now=adapters.now,
        lease_s=settings.lease_s,
        observer=adapters.observer,
    )
    sweeper = Sweeper(
        store=adapters.store,
        queue=adapters.queue,
        gave_up=giving_up(adapters.store, adapters.now, adapters.observer),
        now=adapters.now,
        owner=name,
        policy=SweepPolicy(every_s=settings.sweep_s),
    )
    return Work(adapters=adapters, lanes=lanes, sweeper=sweeper, name=name)


def build_agents(adapters: Adapters) -> Graph:
    """Return the agent graph; what can wait does while memory is short."""
    now, observer, is_short = adapters.now, adapters.observer, adapters.is_short
    steps = build_steps(adapters.forge, adapters.telemetry, adapters.memory, now, adapters.second)
    patient = {agent: pausing(agent, step, is_short, now, observer.meters.paused) for agent, step in steps.items()}
    return build_graph({agent: observer.stepping(agent, step) for agent, step in patient.items()})


def build_steps(
    forge: Forge, telemetry: Telemetry, memory: Memory, now: Now, second: SecondOpinion | None = None
) -> Mapping[Agent, Step]:
    """Return the step of each agent."""
    return {
        Agent.SCOUT: scout(telemetry, now),
        Agent.CAG: cag(forge, memory, now),
        Agent.BRAIN: brain(forge, memory, now, second),
        Agent.GUARDRAIL: guardrail(forge, now),
        Agent.FIXER: fixer(forge, now),
        Agent.HUMAN: human(forge, now),
        Agent.CURATOR: curator(forge, telemetry, memory, now),
        Agent.JULES: jules(memory, now),
    }

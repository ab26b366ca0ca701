"""The worker process: deliveries and wake-ups through the agents, writes out to GitHub."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import structlog
from fastapi import FastAPI

from agents.brain import brain
from agents.cag import cag
from agents.curator import curator
from agents.errors import SreSpaceError
from agents.fixer import fixer
from agents.graph import Graph, build_graph
from agents.guardrail import guardrail
from agents.human import human
from agents.incident import TERMINAL, Agent, Incident, RepoRef
from agents.jules import jules
from agents.opinion import SecondOpinion
from agents.ports import Forge, Memory, Telemetry
from agents.results import escalate
from agents.scout import scout
from agents.writes import AnyWrite, Result
from bot.adapters.github import Access, GitHubForge, connect
from bot.adapters.scout import ScoutClient
from bot.comments import Texts
from bot.db.store import Store
from bot.delivery import deliver
from bot.handlers.deps import Deps
from bot.intake import take_signals
from bot.lane import Lanes
from bot.llm_wiring import open_second_opinion
from bot.markers import Markers
from bot.memory_guard import MemoryGuard, look_often
from bot.memory_wiring import open_incident_memory
from bot.observability.endpoint import metrics_router
from bot.observability.exporting import Own, observing
from bot.observability.observer import Observer
from bot.pausing import pausing
from bot.process import run_process
from bot.queue.worker import run_workers, workers
from bot.routing import Router
from bot.settings import Settings
from bot.sweeper import Given, Sweeper, SweepPolicy
from bot.web.health import health_router
from bot.web.inside import serve_inside
from bot.wiring import Base, marker_secret, metrics_token, now, open_base, open_bus, query_token, redis_url
from telemetry.bus import Bus
from telemetry.model import Signal

log = structlog.get_logger()


def graph_of(
    forge: Forge,
    memory: Memory,
    telemetry: Telemetry,
    *,
    observer: Observer | None = None,
    is_short: Callable[[], bool] = lambda: False,
    second: SecondOpinion | None = None,
) -> Graph:
    """Build the agent graph over these ports; what can wait does while memory `is_short`."""
    observer = observer or Observer()
    steps = {
        Agent.SCOUT: scout(telemetry, now),
        Agent.CAG: cag(forge, memory, now),
        Agent.BRAIN: brain(forge, memory, now, second),
        Agent.GUARDRAIL: guardrail(forge, now),
        Agent.FIXER: fixer(forge, now),
        Agent.HUMAN: human(forge, now),
        Agent.CURATOR: curator(forge, telemetry, memory, now),
        Agent.JULES: jules(memory, now),
    }
    patient = {agent: pausing(agent, step, is_short, now, observer.meters.paused) for agent, step in steps.items()}
    return build_graph({agent: observer.stepping(agent, step) for agent, step in patient.items()})


def lanes_of(
    settings: Settings,
    store: Store,
    forge: GitHubForge,
    memory: Memory,
    telemetry: Telemetry,
    *,
    observer: Observer | None = None,
    is_short: Callable[[], bool] = lambda: False,
    second: SecondOpinion | None = None,
) -> Lanes:
    """Build the lanes: router and handlers in front, the graph inside, delivery behind."""
    markers = Markers(marker_secret(settings))
    texts = Texts(markers, label=settings.incident_label, dashboard_url=settings.dashboard_url)

    async def repo_of(signal: Signal) -> RepoRef:
        del signal  # one repository takes every tenant's incidents until there is a mapping
        return await forge.resolve("/".join(settings.require_repository()))

    async def carry_out(incident: Incident, write: AnyWrite) -> Result:
        return await deliver(incident, write, forge, texts)

    deps = Deps(forge=forge, now=now, markers=markers, label=settings.incident_label, repo_of=repo_of)
    router = Router(store, deps)
    graph = graph_of(forge, memory, telemetry, observer=observer, is_short=is_short, second=second)
    return Lanes(
        store,
        graph,
        locate=router.locate,
        handle=router.handle,
        deliver=carry_out,
        now=now,
        lease_s=settings.lease_s,
        observer=observer,
    )


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, or until Redis is gone (the supervisor starts it again then).

    Raises:
        SettingsError: something that is needed is not set.
        QueueUnavailableError: Redis is gone.
    """
    settings.require_repository()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with observing(settings, "worker", scraped=settings.worker_port is not None) as own:
        guard = MemoryGuard(settings.memory_limit_mb, changed=lambda over: own.observer.meters.guard(over=over))
        async with _adapters(settings, own.observer, guard) as (base, lanes):
            await _work(settings, own, guard, base, lanes, stop)


async def _work(
    settings: Settings, own: Own, guard: MemoryGuard, base: Base, lanes: Lanes, stop: asyncio.Event
) -> None:
    """Run jobs, sweeper and intake until `stop` is set or one of them fails."""
    bus = await open_bus(settings)
    name = f"{socket.gethostname()}:{os.getpid()}"
    sweeper = Sweeper(
        store=base.store,
        queue=base.queue,
        gave_up=lambda given: gave_up(base.store, given, own.observer),
        now=now,
        owner=name,
        policy=SweepPolicy(every_s=settings.sweep_s),
    )
    jobs = {"process_delivery": lanes.process_delivery, "advance": lanes.advance}
    background = [
        asyncio.create_task(sweeper.run(stop), name="sweeper"),
        asyncio.create_task(take_signals(bus, base.store.inbox, base.queue, name), name="intake"),
        asyncio.create_task(look_often(guard), name="memory guard"),
    ]
    if settings.worker_port is not None:
        app = _inside(settings, own, base, bus, guard)
        serving = serve_inside(app, host=settings.worker_host, port=settings.worker_port)
        background.append(asyncio.create_task(serving, name="health and metrics"))
    log.info("worker_started", name=name)
    try:
        await _first_to_end(run_workers(workers(redis_url(settings), jobs), stop), *background)
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await bus.close()


def _inside(settings: Settings, own: Own, base: Base, bus: Bus, guard: MemoryGuard) -> FastAPI:
    """Return the worker's health and metrics."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    required = {"database": base.check_database, "redis": base.queue.ping, "bus": bus.check}
    app.include_router(health_router(required, {}, {"memory": lambda: "short" if guard() else "ok"}))
    served, token = metrics_token(settings, settings.worker_host)
    if served:
        app.include_router(metrics_router(own.registry, token))
    return app


async def _first_to_end(main: Coroutine[Any, Any, None], *background: asyncio.Task[None]) -> None:
    """Return when `main` ends; a background task that fails ends the process, so that it is started anew."""
    task = asyncio.create_task(main)
    await asyncio.wait({task, *background}, return_when=asyncio.FIRST_COMPLETED)
    for ended in background:
        if ended.done() and not ended.cancelled():
            ended.result()
    await task


@contextlib.asynccontextmanager
async def _adapters(
    settings: Settings, observer: Observer, is_short: Callable[[], bool]
) -> AsyncGenerator[tuple[Base, Lanes]]:
    credentials = settings.require_github()
    forge = connect(
        Access(api_url=settings.github_api_url, app_id=credentials.app_id, private_key=credentials.private_key),
        observer=observer,
    )
    telemetry = ScoutClient(settings.scout_url, token=query_token(settings))
    try:
        async with (
            open_base(settings) as base,
            open_incident_memory(settings) as memory,
            open_second_opinion(settings) as second,
        ):
            yield (
                base,
                lanes_of(
                    settings, base.store, forge, memory, telemetry, observer=observer, is_short=is_short, second=second
                ),
            )
    finally:
        await telemetry.close()
        await forge.aclose()


async def gave_up(store: Store, given: Given, observer: Observer | None = None) -> None:
    """Tell people once, on the issue, that something could not be done; what cannot be told is in the log."""
    if given.incident_id is None:
        return
    known = await store.load(given.incident_id)
    if known is None or known[0].stage in TERMINAL:
        return
    incident, version = known
    agent = incident.timeline[-1].agent if incident.timeline else Agent.SCOUT
    note = f"I gave up after many tries: {given.reason}"
    given_over = escalate(incident, agent, note, now())
    try:
        await store.save(given_over, version)
        (observer or Observer()).saved(incident, given_over)
    except SreSpaceError as error:
        log.warning("escalation_not_stored", reason=str(error))


if __name__ == "__main__":
    run_process(run_worker)

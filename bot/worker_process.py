"""The worker process: deliveries and wake-ups through the agents, writes out to GitHub."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import structlog
from fastapi import FastAPI

from bot.app.access import metrics_token
from bot.app.bus import open_bus
from bot.app.github import open_github
from bot.app.llm import open_second_opinion
from bot.app.memory import open_incident_memory
from bot.app.scout import open_scout
from bot.app.truth import open_base, redis_url
from bot.app.work import Adapters, Work, build_work
from bot.memory_guard import MemoryGuard, look_often
from bot.observability.endpoint import metrics_router
from bot.observability.exporting import Own, observing
from bot.process import run_process
from bot.queue.worker import run_workers, workers
from bot.settings import Settings
from bot.web.health import health_router
from bot.web.inside import serve_inside
from telemetry.bus import Bus

log = structlog.get_logger()


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
        async with _opened(settings, own, guard) as work:
            await _run(settings, own, guard, work, stop)


@contextlib.asynccontextmanager
async def _opened(settings: Settings, own: Own, guard: MemoryGuard) -> AsyncGenerator[Work]:
    """Yield the working half over adapters that are open for the length of the block."""
    async with (
        open_github(settings, own.observer) as forge,
        open_scout(settings) as telemetry,
        open_base(settings) as base,
        open_incident_memory(settings) as memory,
        open_second_opinion(settings) as second,
    ):
        adapters = Adapters(
            store=base.store,
            queue=base.queue,
            forge=forge,
            memory=memory,
            telemetry=telemetry,
            second=second,
            observer=own.observer,
            is_short=guard,
        )
        yield build_work(settings, adapters, f"{socket.gethostname()}:{os.getpid()}")


async def _run(settings: Settings, own: Own, guard: MemoryGuard, work: Work, stop: asyncio.Event) -> None:
    """Run jobs and loops until `stop` is set or one of them fails."""
    bus = await open_bus(settings)
    loops = {**work.loops(bus, stop), "memory guard": look_often(guard)}
    if settings.worker_port is not None:
        app = health_and_metrics(settings, own, work, bus, guard)
        loops["health and metrics"] = serve_inside(app, host=settings.worker_host, port=settings.worker_port)
    background = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
    log.info("worker_started", name=work.name)
    try:
        await first_to_end(run_workers(workers(redis_url(settings), work.jobs), stop), *background)
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await bus.close()


def health_and_metrics(settings: Settings, own: Own, work: Work, bus: Bus, guard: MemoryGuard) -> FastAPI:
    """Return the worker's `/healthz`, `/readyz` and, where it is not open to everybody, `/metrics`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    adapters = work.adapters
    required = {"database": adapters.store.check, "redis": adapters.queue.ping, "bus": bus.check}
    app.include_router(health_router(required, {}, {"memory": lambda: "short" if guard() else "ok"}))
    served, token = metrics_token(settings, settings.worker_host)
    if served:
        app.include_router(metrics_router(own.registry, token))
    return app


async def first_to_end(main: Coroutine[Any, Any, None], *background: asyncio.Task[None]) -> None:
    """Return when `main` ends; a background task that fails ends `main` and the process, so that it is started anew."""
    task = asyncio.create_task(main)
    try:
        await asyncio.wait({task, *background}, return_when=asyncio.FIRST_COMPLETED)
        for ended in background:
            if ended.done() and not ended.cancelled():
                ended.result()
        await task
    finally:
        task.cancel()  # its jobs must not outlive what they work with
        await asyncio.gather(task, return_exceptions=True)


if __name__ == "__main__":
    run_process(run_worker)

"""The web process: webhooks in, dashboard out. It imports neither agents' graph nor GitHub's client."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import structlog
from fastapi import FastAPI

from bot.adapters.scout import ScoutClient
from bot.dashboard_read import DashboardRead
from bot.observability.endpoint import metrics_router
from bot.observability.exporting import Own, observing
from bot.observability.stored_figures import StoredFigures
from bot.process import run_process
from bot.settings import Settings
from bot.web.app import WebDeps, create_web
from bot.web.ingress import Ingress
from bot.web.server import serve
from bot.wiring import Base, is_loopback, metrics_token, now, open_base, query_token
from dashboard.access import Access
from dashboard.app import mount_dashboard

log = structlog.get_logger()

SCOUT_TIMEOUT_S = 2.0


async def run_web(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SettingsError: no webhook secret is set.
    """
    secrets = tuple(secret.get_secret_value().encode() for secret in settings.require_webhook_secrets())
    with observing(settings, "web", scraped=True) as own:
        async with open_base(settings) as base:
            await _serve(settings, secrets, own, base)


async def _serve(settings: Settings, secrets: tuple[bytes, ...], own: Own, base: Base) -> None:
    ingress = Ingress(
        inbox=base.store.inbox,
        queue=base.queue,
        secrets=secrets,
        limit_bytes=settings.webhook_limit_bytes,
        observer=own.observer,
    )
    app = create_web(
        WebDeps(ingress=ingress, required={"database": base.check_database}, wanted={"redis": base.queue.ping})
    )
    async with _metrics(app, settings, own, base), _dashboard(app, settings, base):
        log.info("web_started", host=settings.web_host, port=settings.web_port)
        await serve(app, host=settings.web_host, port=settings.web_port)


@contextlib.asynccontextmanager
async def _metrics(app: FastAPI, settings: Settings, own: Own, base: Base) -> AsyncGenerator[None]:
    """Serve `/metrics` where it is not open to everybody, and keep the figures fresh that are pushed."""
    figures = StoredFigures(own.meter, base.store.figures, now)
    served, token = metrics_token(settings, settings.web_host)
    if served:
        app.include_router(metrics_router(own.registry, token, figures.refresh))
    pushing = asyncio.create_task(figures.keep_fresh()) if own.pushes else None
    try:
        yield
    finally:
        if pushing is not None:
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)


@contextlib.asynccontextmanager
async def _dashboard(app: FastAPI, settings: Settings, base: Base) -> AsyncGenerator[None]:
    """Mount the dashboard for the length of the block, where it is not open to everybody."""
    token = settings.dashboard_token
    if token is None and not is_loopback(settings.web_host):
        reason = "it would be open to everybody; set SRE_SPACE_DASHBOARD_TOKEN"
        log.warning("dashboard_left_out", host=settings.web_host, reason=reason)
        yield
        return
    scout = ScoutClient(settings.scout_url, token=query_token(settings), timeout_s=SCOUT_TIMEOUT_S)
    try:
        access = Access(token.get_secret_value() if token else None)
        mount_dashboard(app, DashboardRead(base.store.read_model, now), scout=scout, access=access)
        yield
    finally:
        await scout.close()


if __name__ == "__main__":
    run_process(run_web)

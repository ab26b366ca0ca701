"""The web half of the bot: webhooks in, dashboard out, health and metrics beside them."""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi import FastAPI

from agents.ports import Now
from bot.app.access import is_loopback, metrics_token
from bot.app.clock import utc_now
from bot.dashboard_read import DashboardRead
from bot.db.store import Store
from bot.observability.endpoint import metrics_router
from bot.observability.exporting import Own
from bot.observability.stored_figures import StoredFigures
from bot.queue.port import Queue
from bot.settings import Settings
from bot.web.app import WebDeps, create_web
from bot.web.ingress import Ingress
from dashboard.access import Access
from dashboard.app import mount_dashboard
from dashboard.ports import ScoutRead

log = structlog.get_logger()


@dataclass(frozen=True)
class WebAdapters:
    """What the web half reaches the world with. `scout` is asked for its own health."""

    store: Store
    queue: Queue
    scout: ScoutRead | None = None
    own: Own = field(default_factory=Own)
    now: Now = utc_now


@dataclass(frozen=True)
class Web:
    """The web half: the application to serve."""

    app: FastAPI
    figures: StoredFigures
    pushes: bool

    def loops(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return what runs beside the server, by name, until it is cancelled."""
        return {"figures": self.figures.keep_fresh()} if self.pushes else {}


def build_web(settings: Settings, adapters: WebAdapters) -> Web:
    """Return the web half for these settings over these adapters.

    Dashboard and metrics are left out where they would be open to everybody.

    Raises:
        SettingsError: no webhook secret is set.
    """
    store, own = adapters.store, adapters.own
    ingress = Ingress(
        inbox=store.inbox,
        queue=adapters.queue,
        secrets=tuple(secret.get_secret_value().encode() for secret in settings.require_webhook_secrets()),
        limit_bytes=settings.webhook_limit_bytes,
        observer=own.observer,
    )
    app = create_web(
        WebDeps(ingress=ingress, required={"database": store.check}, wanted={"redis": adapters.queue.ping})
    )
    figures = StoredFigures(own.meter, store.figures, adapters.now)
    served, token = metrics_token(settings, settings.web_host)
    if served:
        app.include_router(metrics_router(own.registry, token, figures.refresh))
    _mount_dashboard(app, settings, adapters)
    return Web(app=app, figures=figures, pushes=own.pushes)


def _mount_dashboard(app: FastAPI, settings: Settings, adapters: WebAdapters) -> None:
    token = settings.dashboard_token
    if token is None and not is_loopback(settings.web_host):
        reason = "it would be open to everybody; set SRE_SPACE_DASHBOARD_TOKEN"
        log.warning("dashboard_left_out", host=settings.web_host, reason=reason)
        return
    read = DashboardRead(adapters.store.read_model, adapters.now)
    access = Access(token.get_secret_value() if token else None)
    mount_dashboard(app, read, scout=adapters.scout, access=access)

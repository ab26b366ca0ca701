"""The web application: webhooks and health; the dashboard is mounted on it by `bot.app.web`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI

from bot.web.health import Check, health_router
from bot.web.ingress import Ingress
from bot.web.problems import add_handlers


@dataclass(frozen=True, slots=True)
class WebDeps:
    """What the web process is made of."""

    ingress: Ingress
    required: Mapping[str, Check] = field(default_factory=dict[str, Check])
    wanted: Mapping[str, Check] = field(default_factory=dict[str, Check])


def create_web(deps: WebDeps) -> FastAPI:
    """Return the application. It publishes no schema: its one endpoint is GitHub's to call."""
    app = FastAPI(title="SRE-Space", docs_url=None, redoc_url=None, openapi_url=None)
    add_handlers(app)
    app.include_router(deps.ingress.router())
    app.include_router(health_router(deps.required, deps.wanted))
    return app

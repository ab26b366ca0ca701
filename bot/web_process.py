"""The web process: webhooks in, dashboard out. It imports neither agents' graph nor GitHub's client."""

import structlog

from bot.dashboard_read import DashboardRead
from bot.process import run_process
from bot.settings import Settings
from bot.web.app import WebDeps, create_web
from bot.web.ingress import Ingress
from bot.web.server import serve
from bot.wiring import is_loopback, open_base
from dashboard.app import mount_dashboard

log = structlog.get_logger()


async def run_web(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SettingsError: no webhook secret is set.
    """
    secrets = tuple(secret.get_secret_value().encode() for secret in settings.require_webhook_secrets())
    async with open_base(settings) as base:
        ingress = Ingress(
            inbox=base.store.inbox, queue=base.queue, secrets=secrets, limit_bytes=settings.webhook_limit_bytes
        )
        app = create_web(
            WebDeps(ingress=ingress, required={"database": base.check_database}, wanted={"redis": base.queue.ping})
        )
        if is_loopback(settings.web_host):
            mount_dashboard(app, DashboardRead(base.store.read_model))
        else:
            log.warning("dashboard_left_out", reason="it has no sign-in yet and is served on loopback only")
        log.info("web_started", host=settings.web_host, port=settings.web_port)
        await serve(app, host=settings.web_host, port=settings.web_port)


if __name__ == "__main__":
    run_process(run_web)

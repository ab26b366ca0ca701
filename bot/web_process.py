"""The web process: webhooks in, dashboard out. It imports neither agents' graph nor GitHub's client."""

import asyncio

import structlog

from bot.app.scout import PAGE_PATIENCE_S, open_scout
from bot.app.truth import open_base
from bot.app.web import WebAdapters, build_web
from bot.observability.exporting import observing
from bot.process import run_process
from bot.settings import Settings
from bot.web.server import serve

log = structlog.get_logger()


async def run_web(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SettingsError: no webhook secret or no Redis is set.
        DatabaseUnavailableError: the database cannot be reached.
    """
    settings.require_webhook_secrets()
    with observing(settings, "web", scraped=True) as own:
        async with open_base(settings) as base, open_scout(settings, timeout_s=PAGE_PATIENCE_S) as scout:
            web = build_web(settings, WebAdapters(store=base.store, queue=base.queue, scout=scout, own=own))
            beside = [asyncio.create_task(loop, name=name) for name, loop in web.loops().items()]
            log.info("web_started", host=settings.web_host, port=settings.web_port)
            try:
                await serve(web.app, host=settings.web_host, port=settings.web_port)
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)


if __name__ == "__main__":
    run_process(run_web)

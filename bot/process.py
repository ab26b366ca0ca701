"""How every process starts: settings, logs, the event loop, and plain words when it cannot start."""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from bot.observability.log_ids import add_trace_ids
from bot.settings import Settings, SettingsError, load_settings
from telemetry.errors import SreSpaceError

USAGE = 2
FAILED = 1


def configure_logs(*, as_json: bool) -> None:
    """Write structlog's events to stderr, as JSON in production; other libraries' warnings go the same way."""
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            add_trace_ids,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks if as_json else structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )


def run_process(run: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run a process to its end; exits with 2 for a wrong setting, 1 when something it needs is not there."""
    try:
        settings = load_settings()
        configure_logs(as_json=settings.log_json)
        asyncio.run(run(settings))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(USAGE)
    except SreSpaceError as error:
        structlog.get_logger().error("process_failed", reason=str(error))
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)

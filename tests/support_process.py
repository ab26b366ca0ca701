"""A process of SRE-Space within the test's own process: started as a task, asked over loopback, ended by a signal."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx

from bot.settings import Settings, load_settings
from tests.support_redis import free_port
from tests.unit.bot.adapters.github.wire import private_key

SECRET = "the secret of these webhooks"
NOT_SHORT_MB = 1_000_000
"""The test's process holds much that is not the bot's: it is never short of memory."""


def settings_of(folder: Path, redis_url: str | None, **changes: object) -> Settings:
    """Return settings with which every process starts, on free ports of loopback."""
    given = {
        "state_dir": folder,
        "redis_url": redis_url,
        "repository": "acme/shop",
        "github_api_url": f"http://127.0.0.1:{free_port()}",
        "github_app_id": 12,
        "github_private_key": private_key(),
        "github_webhook_secret": SECRET,
        "memory_limit_mb": NOT_SHORT_MB,
        "web_port": free_port(),
        "worker_port": free_port(),
        "scout_port": free_port(),
        "scout_grpc_port": "off",
    }
    return load_settings(_env_file=None, **{**given, **changes})


@contextlib.asynccontextmanager
async def running(run: Coroutine[Any, Any, None], port: int) -> AsyncGenerator[httpx.AsyncClient]:
    """Run a process for the length of the block, with a client of the port on which it answers; SIGTERM ends it."""
    process = asyncio.create_task(run)
    try:
        await until_listening(process, port)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
        assert not process.done(), "it would be this process that the signal ends"
        signal.raise_signal(signal.SIGTERM)
        await process
    finally:
        process.cancel()
        await asyncio.gather(process, return_exceptions=True)


async def until_listening(process: "asyncio.Task[None]", port: int) -> None:
    """Return once somebody listens there; raises what ends the process before that."""
    while True:
        if process.done():
            process.result()
            raise AssertionError("the process ended before it listened")
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(0.01)


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """Return the first answer of `look` that is not empty; the test's own time limit ends a wait in vain."""
    while not (found := await look()):  # noqa: ASYNC110 - what another task writes to a database tells nobody
        await asyncio.sleep(0.01)
    return found

"""The real web process over a real database, beside a real Scout, and a browser to look at it."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from bot.db.migrate import upgrade
from telemetry.query import query_router
from telemetry.testing.chain import Chain, Fault
from tests.requirements import ROOT, need
from tests.support_store import url_of

T = TypeVar("T")

CHROMIUM = Path(os.environ.get("SRE_SPACE_TEST_CHROMIUM", "/usr/bin/chromium"))
_ARGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_START_S = 30.0


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: the browser's driver keeps a loop running in this one."""
    answers: list[T] = []

    def run() -> None:
        answers.append(asyncio.run(work))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return answers[0]


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """The web process on one port and one database; it can be stopped and started again."""

    def __init__(self, folder: Path, scout_port: int, **environ: str) -> None:
        self.database = url_of(folder / "site.db")
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "GITHUB_WEBHOOK_SECRET": "a-secret",
            "DATABASE_URL": self.database,
            "REDIS_URL": "redis://127.0.0.1:1/0",  # nobody: the dashboard does not need it
            "SRE_SPACE_WEB_PORT": str(self._port),
            "SRE_SPACE_SCOUT_PORT": str(scout_port),
            **environ,
        }
        apart(upgrade(self.database))

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "web.log").open("ab") as log:
            command = [sys.executable, "-m", "bot.web_process"]
            self._process = subprocess.Popen(command, cwd=self._folder, env=self._environ, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=1).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        pytest.fail((self._folder / "web.log").read_text())

    def stop(self) -> None:
        """Stop it as a supervisor does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None


@contextmanager
def running_site(folder: Path, scout_port: int, **environ: str) -> Generator[Site]:
    """Yield a site that runs."""
    site = Site(folder, scout_port, **environ)
    try:
        site.start()
        yield site
    finally:
        site.stop()


@contextmanager
def running_scout() -> Generator[int]:
    """Yield the port of Scout's query API; quote fails for a third of its requests, now."""
    chain = Chain(("gateway", "quote", "pricing"), rate_rps=4)
    chain.now_s = (int(time.time()) - 125) // 5 * 5
    chain.run(60)

    @asynccontextmanager
    async def going_on(_app: FastAPI) -> AsyncGenerator[None]:
        task = asyncio.create_task(_keep_up(chain))
        yield
        task.cancel()

    app = FastAPI(lifespan=going_on)
    app.include_router(query_router(chain.scout))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()


async def _keep_up(chain: Chain) -> None:
    while True:
        while chain.now_s + 5 < time.time():
            chain.run(5, {"quote": Fault(error_ratio=0.3)})
        await asyncio.sleep(0.5)


@contextmanager
def running_browser() -> Generator[Any]:
    """Yield Chromium; skips the test when there is none."""
    need("chromium", CHROMIUM.exists(), "apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(_ARGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Any, *, theme: str = "light", width: int = 1440) -> Generator[tuple[Any, list[str]]]:
    """Yield a page, and what its console complains about."""
    height = 900 if width > 600 else 844
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    complaints: list[str] = []
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page, complaints
    finally:
        context.close()


def eventually(check: Callable[[], bool], within_s: float = 15.0) -> bool:
    """Return whether `check` comes true in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.1)
    return False

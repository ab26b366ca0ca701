"""The deployer for real: a git repository, processes, and customers who notice nothing."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from infra.sandbox import tax
from infra.sandbox.git import git
from infra.sandbox.scenarios.controls import wait_until_deployed
from infra.sandbox.scenarios.model import Person, Sandbox
from infra.sandbox.scenarios.repository import Change, Edit, push, set_number
from infra.sandbox.serving import listen, port_of

ROOT = Path(tax.__file__).parent.parent.parent
SETTINGS = "services/quote/settings.yaml"
PRICING = "services/pricing/app.py"


@dataclass
class Deployment:
    """A running deployer and the repository it follows."""

    process: asyncio.subprocess.Process
    sandbox: Sandbox
    gateway_url: str

    async def event(self, name: str) -> dict[str, Any]:
        """Returns the next line of this event."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while line := await self.process.stdout.readline():
                if (said := json.loads(line))["event"] == name:
                    return said
        raise AssertionError(f"the deployer ended without {name}")

    async def commit(self, path: str, edit: Edit) -> str:
        """Pushes one commit and returns its SHA."""
        (commit,) = await push(self.sandbox, [Change(self.sandbox.person(0), f"Change {path}", path, edit)])
        return commit.sha

    def services(self) -> dict[str, dict[str, Any]]:
        """Returns what runs, by name."""
        return json.loads(self.sandbox.deployed_file.read_text(encoding="utf-8"))["services"]


async def bare_repository(folder: Path) -> Path:
    """Returns a bare repository that holds the seed on main."""
    work, bare = folder / "seed", folder / "shop.git"
    shutil.copytree(Path(tax.__file__).parent / "seed", work, ignore=shutil.ignore_patterns("__pycache__"))
    await git("init", "--quiet", "--initial-branch=main", cwd=work)
    await git("add", "--all", cwd=work)
    identity = ("-c", "user.name=Ana", "-c", "user.email=ana@acme.example")
    await git(*identity, "commit", "--quiet", "--message=Seed", cwd=work)
    await git("clone", "--quiet", "--bare", str(work), str(bare))
    return bare


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncGenerator[Deployment]:
    """A deployer with all services up; the tax service answers their telemetry with 404."""
    bare = await bare_repository(tmp_path)
    with listen(0) as free:
        gateway_port = port_of(free)
    upstream = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.sandbox.tax", "--latency-ms", "20",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert upstream.stdout is not None
    tax_url = f"http://127.0.0.1:{json.loads(await upstream.stdout.readline())['port']}"
    data = tmp_path / "data"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.sandbox.deployer", "--clone-url", str(bare), "--data", str(data),
        "--otlp", tax_url, "--tax-url", tax_url,
        "--gateway-port", str(gateway_port), "--poll-s", "0.2",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    ana = Person("ana", "Ana", "ana@acme.example", str(bare))
    sandbox = Sandbox((ana,), data / "deployed.json", data / "flags.json", "", "", "")
    running = Deployment(process, sandbox, f"http://127.0.0.1:{gateway_port}")
    for _ in range(3):
        await running.event("service_started")
    yield running
    for child in (process, upstream):
        if child.returncode is None:
            child.terminate()
        await child.communicate()


async def customers(url: str, stopped: asyncio.Event) -> list[int]:
    """Returns the statuses of steady traffic until the event is set."""
    statuses: list[int] = []
    async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as client:
        while not stopped.is_set():
            statuses.append((await client.get("/quote/MUG-001?quantity=1")).status_code)
    return statuses


async def test_a_commit_restarts_what_it_touches_and_no_customer_notices(deployment: Deployment) -> None:
    """The new process takes over the listening socket before the old one is drained."""
    before = deployment.services()
    stopped = asyncio.Event()
    traffic = [asyncio.create_task(customers(deployment.gateway_url, stopped)) for _ in range(2)]
    revision = await deployment.commit(SETTINGS, set_number("pool_size", lambda _: 8))
    await wait_until_deployed(deployment.sandbox, "quote", revision)
    await deployment.event("service_stopped")
    stopped.set()
    assert {status for statuses in await asyncio.gather(*traffic) for status in statuses} == {200}
    after = deployment.services()
    assert after["quote"]["pid"] != before["quote"]["pid"]
    assert after["quote"]["version"] == revision[:12]
    assert after["gateway"] == before["gateway"]
    assert after["pricing"] == before["pricing"]


async def test_a_revision_that_does_not_start_leaves_the_old_one_serving(deployment: Deployment) -> None:
    """A broken import is reported; the next commit is tried again."""
    before = deployment.services()["pricing"]
    broken = await deployment.commit(PRICING, lambda text: f"import no_such_module\n{text}")
    failure = await deployment.event("deploy_failed")
    assert (failure["service"], failure["revision"]) == ("pricing", broken)
    assert "no_such_module" in failure["reason"]
    assert deployment.services()["pricing"] == before
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        assert (await client.get(f"{deployment.gateway_url}/quote/MUG-001")).status_code == 200
    mended = await deployment.commit(PRICING, lambda text: text.replace("import no_such_module\n", "# mended\n"))
    await wait_until_deployed(deployment.sandbox, "pricing", mended)


async def test_services_end_with_a_deployer_that_is_killed(deployment: Deployment) -> None:
    """The kernel ends the children of a deployer that could not."""
    children = [psutil.Process(service["pid"]) for service in deployment.services().values()]
    os.kill(deployment.process.pid, signal.SIGKILL)
    await deployment.process.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=30)
    assert alive == []


async def test_a_deployer_that_is_told_to_stop_stops_its_services_first(deployment: Deployment) -> None:
    """SIGTERM leaves nothing running."""
    children = [psutil.Process(service["pid"]) for service in deployment.services().values()]
    deployment.process.terminate()
    await deployment.event("deployer_stopped")
    assert await deployment.process.wait() == 0
    assert not any(child.is_running() for child in children)

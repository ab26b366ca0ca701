"""The Action's steps against the whole sandbox: faults that are really there, found, fixed, approved and proven."""

import asyncio
import contextlib
import time

import httpx
import psutil
import pytest
from rich.console import Console

from infra.sandbox.demo.fleet import Fleet
from infra.sandbox.demo.people import Maintainer
from infra.sandbox.demo.play import Play, Wishes
from infra.sandbox.demo.screen import Screen
from infra.sandbox.demo.world import free_ports, start_world
from infra.sandbox.injector import write_sandbox
from tests.support_action import Job

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1500)]

QUOTE = "/quote/MUG-001?quantity=1&region=west"
TTL_S = 20


class Lab:
    """The sandbox with a fault injector, and a maintainer who approves what is proposed."""

    def __init__(self, world, fleet, injector):
        self.world, self.fleet, self.injector = world, fleet, injector
        self.token = (world.folder / "injector-token").read_text()
        self._maintainer = Maintainer(world.app["api_url"], world.repository, world.token)
        self._play = Play(world, fleet, Screen(Console(quiet=True)), Wishes((), yes=True, never_recover=False))

    async def close(self):
        """Close the connections."""
        await self._maintainer.close()
        await self._play.close()

    async def warm_up(self):
        """Wait until Scout knows what normal is."""
        await self._play._warm_up()

    async def calm_down(self):
        """Wait until Scout has closed the last fault."""
        await self._play._quiet()

    async def approve(self):
        """Approve every pull request of SRE-Space once, as a person who watches the repository would."""
        seen = set()
        while True:
            for pull in await self._maintainer._get("/pulls?state=open"):
                if pull["number"] not in seen and pull["head"]["ref"].startswith("sre-space/"):
                    seen.add(pull["number"])
                    await self._maintainer.say(pull["number"], "/approve")
            await asyncio.sleep(1)

    def faults(self):
        """Return the names of the faults in force."""
        headers = {"authorization": f"Bearer {self.token}"}
        found = httpx.get(f"{self.injector}/faults", headers=headers, timeout=60)
        return [fault["name"] for fault in found.raise_for_status().json()["faults"]]

    def rate_rps(self):
        """Return how many requests a second the customers send."""
        sandbox = self.world.sandbox
        headers = {"authorization": f"Bearer {sandbox.control_token}"}
        return httpx.get(f"{sandbox.load_control_url}/status", headers=headers).json()["rps"]

    def job(self, folder, experiment, **inputs):
        """Return a job that runs an experiment."""
        environment = {
            "GITHUB_API_URL": self.world.app["api_url"],
            "GITHUB_REPOSITORY": self.world.repository,
            "TOKEN_OF_THE_JOB": self.world.token,
        }
        given = {
            "mode": "chaos",
            "experiment": experiment,
            "injector-url": self.injector,
            "injector-token": self.token,
            "target-url": self.world.url("gateway") + QUOTE,
            "bot-login": f"{self.world.app['app_slug']}[bot]",
            "poll-s": "1",
            "max-duration-s": "420",
            **inputs,
        }
        folder.mkdir()
        return Job(folder, environment, given)


@contextlib.asynccontextmanager
async def lab(folder):
    """Yield the sandbox; whatever it started ends with the block."""
    fleet = Fleet(folder / "logs")
    try:
        world = await start_world(fleet, folder)
        write_sandbox(world.sandbox, folder / "sandbox.json")
        port = free_ports()["load"]
        files = ("--world", folder / "sandbox.json", "--token-file", folder / "injector-token")
        more = ("--leases", folder / "leases.json", "--port", port)
        fleet.start("injector", ["infra.sandbox.injector", *map(str, files), *map(str, more)])
        await until((folder / "injector-token").exists, "the injector")
        sandbox = Lab(world, fleet, f"http://127.0.0.1:{port}")
        try:
            yield sandbox
        finally:
            await sandbox.close()
    finally:
        await fleet.stop()


async def until(holds, what, within_s=90):
    """Wait until something holds."""
    deadline = time.monotonic() + within_s
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < deadline, f"{what} did not come within {within_s} s"
        await asyncio.sleep(0.25)


def kill(process):
    """SIGKILL a step with everything that it started, as a machine that goes away."""
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for member in family:
        member.kill()
    process.wait()


def assert_passed(job, *, service):
    """The run passed, its figures are there and in order, and the summary tells them."""
    assert job.outcomes == {"install": "success", "run": "success", "step-2": "success"}, job.log
    results = job.results
    assert (results["decision"], results["reason-code"]) == ("pass", "resolved"), job.log
    assert int(results["incident"]) < int(results["pull-request"])
    assert 0 <= int(results["ttd"]) < int(results["ttr"])
    assert f"| root cause | {service}, " in job.summary
    assert "```mermaid\ntimeline\n" in job.summary
    assert job.summary.index("fault in force") < job.summary.index("recovery verified")


async def test_both_experiments_pass_and_a_killed_run_heals_by_itself(tmp_path):
    """Pool exhaustion and a latency spike are resolved; a run killed in mid-fault leaves nothing after its TTL."""
    async with lab(tmp_path) as sandbox:
        approving = asyncio.create_task(sandbox.approve())
        try:
            await sandbox.warm_up()
            for experiment, service in (("db-pool-exhaustion", "quote"), ("latency-spike", "pricing")):
                job = sandbox.job(tmp_path / experiment, experiment)
                await asyncio.to_thread(job.run)
                assert_passed(job, service=service)
                assert sandbox.faults() == []
                assert sandbox.rate_rps() == sandbox.world.sandbox.base_rps
                await sandbox.calm_down()
        finally:
            approving.cancel()
        await killed_in_mid_fault(sandbox, tmp_path)


async def killed_in_mid_fault(sandbox, folder):
    """SIGKILL while the traffic is raised: when the time to live is over the traffic is normal again."""
    job = sandbox.job(folder / "killed", "db-pool-exhaustion", **{"ttl-s": str(TTL_S)})
    job.only("install")
    running = job.start("run")
    base_rps = sandbox.world.sandbox.base_rps
    await until(lambda: sandbox.rate_rps() > base_rps, "the fault")
    kill(running)
    assert sandbox.faults() == ["db-pool-exhaustion"]
    await until(lambda: not sandbox.faults() and sandbox.rate_rps() == base_rps, "the end of the fault")

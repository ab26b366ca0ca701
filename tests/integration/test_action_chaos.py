"""`mode: chaos` when it must not run, cannot go on, or is killed: the steps against the stand-in and an injector."""

import asyncio
import signal
from datetime import UTC, datetime
from http import HTTPStatus

import psutil
import pytest
from fastapi import FastAPI, HTTPException

from infra.sandbox.github.testing import stand_in
from infra.sandbox.injector import injector_app
from infra.sandbox.leases import Leases
from infra.sandbox.scenarios.model import Injection, Scenario
from infra.sandbox.serving import listen, port_of, serve_until
from tests.support_action import Job

pytestmark = pytest.mark.timeout(120)

FAULT = "db-pool-exhaustion"
TTL_S = 4


async def until(holds):
    """Wait until something holds; the test's own time-out is the limit."""
    while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes
        await asyncio.sleep(0.05)


class Shop:
    """A system with one fault, which the injector puts in place; customers are served or not."""

    def __init__(self, folder):
        self.broken, self.served, self.injected = False, True, 0
        self.scenarios = {FAULT: Scenario(FAULT, self._inject, self._heal)}
        self.leases = Leases(None, self.scenarios, folder / "leases.json")
        self.app = FastAPI()
        self.app.get("/")(self._answer)
        self.app.mount("/chaos", injector_app(self.leases, self.scenarios, "secret"))

    async def _inject(self, _sandbox):
        self.broken, self.injected = True, self.injected + 1
        return Injection(FAULT, "it is broken", datetime.now(UTC), "quote")

    async def _heal(self, _sandbox):
        self.broken = False

    async def _answer(self):
        if not self.served:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE)


class World:
    """The shop, GitHub, and jobs that run against both."""

    def __init__(self, folder, shop, github, url):
        self.shop, self.github = shop, github
        self._folder, self._url = folder, url

    def job(self, **inputs):
        """Return a job that runs the experiment."""
        environment = {
            "GITHUB_API_URL": self.github.api_url,
            "GITHUB_REPOSITORY": "acme/shop",
            "TOKEN_OF_THE_JOB": self.github.credentials["users"]["wim"],
        }
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        mine = {"mode": "chaos", "experiment": FAULT, "injector-url": f"{self._url}/chaos", "injector-token": "secret"}
        times = {"poll-s": "0.2", "ttl-s": str(TTL_S), "detection-timeout-s": "60"}
        folder = self._folder / "job"
        folder.mkdir()
        return Job(folder, environment, {**mine, "target-url": self._url, **times, **given})

    async def start(self, job):
        """Start a run and return its process once the fault is in place."""
        await asyncio.to_thread(job.only, "install")
        process = job.start("run")
        await until(lambda: self.shop.broken)
        return process


@pytest.fixture
async def world(tmp_path):
    """A world whose servers end with the test."""
    shop, stopped, listener = Shop(tmp_path), asyncio.Event(), listen(0)
    with stand_in(tmp_path / "github") as github:
        tasks = [
            asyncio.create_task(serve_until(shop.app, listener, stopped)),
            asyncio.create_task(shop.leases.run(stopped)),
        ]
        try:
            yield World(tmp_path, shop, github, f"http://127.0.0.1:{port_of(listener)}")
        finally:
            stopped.set()
            await asyncio.gather(*tasks)


async def test_nothing_is_broken_while_an_incident_is_open(world):
    """The run is an abort, which by default does not fail a scheduled job."""
    with world.github.user("maria") as client:
        client.post("/issues", json={"title": "quote is down", "labels": ["incident"]}).raise_for_status()
    job = world.job()
    assert await asyncio.to_thread(job.run), job.log
    assert job.results == {"decision": "abort", "reason-code": "open-incident"}
    assert world.shop.injected == 0
    assert "Open incidents: 1" in job.summary


async def test_nothing_is_broken_when_customers_are_not_served(world):
    """A system that is unwell is left alone; `fail-on: abort` makes the job fail."""
    world.shop.served = False
    job = world.job(fail_on="abort")
    assert not await asyncio.to_thread(job.run)
    assert job.results == {"decision": "abort", "reason-code": "steady-state-not-met"}
    assert world.shop.injected == 0


async def test_a_fault_that_nobody_detects_fails_the_run_and_is_taken_back(world):
    """The wait has a limit, and Chaos Toolkit's roll-back ends the fault long before its time is up."""
    job = world.job(detection_timeout_s="1", ttl_s="600")
    assert not await asyncio.to_thread(job.run)
    assert job.results == {"decision": "fail", "reason-code": "not-detected"}
    assert job.outcomes["step-2"] == "success", "the clean-up runs although the run failed"
    assert world.shop.injected == 1
    assert not world.shop.broken
    assert world.shop.leases.held == ()


async def test_an_injector_that_refuses_is_an_abort(world):
    """Nothing is in place, so nothing is waited for."""
    job = world.job(injector_token="wrong")
    await asyncio.to_thread(job.run)
    assert job.results == {"decision": "abort", "reason-code": "injection-failed"}
    assert world.shop.injected == 0


async def test_a_cancelled_job_takes_its_fault_back(world):
    """SIGTERM, as GitHub sends it: the experiment is told to stop, and rolls back."""
    job = world.job(ttl_s="600")
    process = await world.start(job)
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(process.wait)
    assert not world.shop.broken
    written = (job.folder / "run.output").read_text()
    assert "decision=abort\nreason-code=interrupted\n" in written


async def test_a_run_that_is_killed_with_everything_it_started_heals_by_itself(world):
    """SIGKILL in mid-fault: nobody is left to roll back, and the lease ends the fault."""
    process = await world.start(world.job())
    for member in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        member.kill()
    process.wait()
    assert world.shop.broken
    await until(lambda: not world.shop.broken)
    assert world.shop.leases.held == ()


async def test_a_run_whose_own_process_is_killed_rolls_back_at_once(world):
    """Chaos Toolkit outlives its parent just long enough to take the fault back."""
    process = await world.start(world.job(ttl_s="600"))
    process.kill()
    process.wait()
    await until(lambda: not world.shop.broken)


async def test_the_clean_up_after_a_killed_run_takes_the_fault_back(world):
    """The always-run step ends what the killed one left, and touches no fault of others."""
    job = world.job(ttl_s="600")
    process = await world.start(job)
    for member in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        member.kill()
    process.wait()
    assert world.shop.broken
    job.outcomes["run"] = "failure"
    await asyncio.to_thread(job.clean_up)
    assert job.outcomes["clean-up"] == "success", job.log
    assert not world.shop.broken


async def test_a_lease_is_healed_by_the_injectors_next_start(tmp_path):
    """An injector that was killed itself finds on disk what it has to heal."""
    shop = Shop(tmp_path)
    await shop.leases.start(FAULT, 0.01)
    again, stopped = Shop(tmp_path), asyncio.Event()
    again.broken = True
    healing = asyncio.create_task(again.leases.run(stopped))
    await until(lambda: not again.broken)
    stopped.set()
    await healing
    assert not again.broken
    assert again.leases.held == ()

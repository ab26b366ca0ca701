"""Killing the worker at every step loses nothing and doubles nothing."""

import asyncio
import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pytest

from agents.testing.scenarios import pool_signal
from infra.sandbox.demo.fleet import Fleet
from infra.sandbox.demo.world import READY_S, World, free_ports, start_github, start_service
from telemetry.bus import RedisStreamsBus

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

REPOSITORY = "/repos/acme/shop"
KILL_AT = ("issue", "comment", "branch", "pull")


class Site:
    """The stand-in as a person with read access sees it."""

    def __init__(self, app):
        headers = {"authorization": f"Bearer {app['users']['maria']}"}
        self._client = httpx.AsyncClient(base_url=app["api_url"] + REPOSITORY, headers=headers, timeout=10)

    async def get(self, path):
        response = await self._client.get(path)
        response.raise_for_status()
        return response.json()

    async def close(self):
        await self._client.aclose()

    async def state(self):
        """Return how much of each there is: issues, root-cause comments, branches of ours, pull requests."""
        issues = [item for item in await self.get("/issues?state=all&per_page=100") if "pull_request" not in item]
        comments = [c for issue in issues for c in await self.get(f"/issues/{issue['number']}/comments?per_page=100")]
        branches = await self.get("/git/matching-refs/heads/sre-space/")
        return {
            "issue": len(issues),
            "comment": sum("Root cause" in comment["body"] for comment in comments),
            "comments": len(comments),
            "branch": len(branches),
            "pull": len(await self.get("/pulls?state=all")),
        }

    async def until(self, what):
        """Return as soon as there is at least one of `what`."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if (await self.state())[what]:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"no {what} within {READY_S} s: {await self.state()}")


async def kill_worker(state_dir: Path):
    """SIGKILL the worker that runs now and return once another has taken its place."""
    run_file = state_dir / "run" / "worker.json"
    pid = json.loads(run_file.read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        run = json.loads(run_file.read_text())
        if run["pid"] not in {pid, None} and psutil.pid_exists(run["pid"]):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the supervisor did not start the worker again")


def fresh_signal():
    """Return the pool exhaustion as if Scout had just seen it."""
    seen = pool_signal()
    now = datetime.now(UTC)
    return seen.model_copy(update={"onset": now - timedelta(seconds=20), "detected": now, "environment": "sandbox"})


async def test_killing_the_worker_at_every_step_leaves_one_of_everything(tmp_path):
    """SIGKILL after the issue, the root-cause comment, the branch and the pull request: one of each remains."""
    fleet = Fleet(tmp_path / "logs")
    ports = free_ports()
    try:
        app = await start_github(fleet, tmp_path / "github", ports)
        await start_service(fleet, tmp_path, ports, app, {"SRE_SPACE_LEASE_S": "2"})
        site, state_dir = Site(app), tmp_path / "state"
        bus = RedisStreamsBus(f"unix://{state_dir}/redis/redis.sock")
        await bus.publish("signals", "g1", fresh_signal().model_dump_json().encode())
        for what in KILL_AT:
            await site.until(what)
            await kill_worker(state_dir)
        await wait_for_stage(ports, "awaiting_approval")
        await asyncio.sleep(3)
        assert await site.state() == {"issue": 1, "comment": 1, "comments": 1, "branch": 1, "pull": 1}
        await site.close()
        await bus.close()
    finally:
        await fleet.stop()


async def wait_for_stage(ports, stage):
    """Return once the only incident has come to `stage`."""
    deadline = time.monotonic() + READY_S
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports['web']}") as client:
        while time.monotonic() < deadline:
            incidents = (await client.get("/api/overview")).json()["incidents"]
            if [card["stage"] for card in incidents] == [stage]:
                return
            await asyncio.sleep(0.1)
    raise AssertionError(f"the incident is {incidents}")


def test_the_world_knows_its_addresses(tmp_path):
    """Every program of the demo has an address of its own."""
    ports = free_ports()
    assert len(set(ports.values())) == len(ports)
    assert World(tmp_path, ports, {}, None).url("web") == f"http://127.0.0.1:{ports['web']}"

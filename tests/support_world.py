"""The stand-in and SRE-Space as real processes, without the shop: tests play Scout by publishing a signal."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from agents.testing.scenarios import pool_signal
from infra.sandbox.demo.fleet import Fleet
from infra.sandbox.demo.world import READY_S, free_ports, start_github, start_service
from telemetry.bus import RedisStreamsBus

REPOSITORY = "/repos/acme/shop"


class Site:
    """The stand-in and the dashboard as a person sees them."""

    def __init__(self, app, ports, state_dir: Path):
        self.app = app
        self.state_dir = state_dir
        self.web_url = f"http://127.0.0.1:{ports['web']}"
        self._client = httpx.AsyncClient(base_url=app["api_url"], timeout=10)
        self._bus = RedisStreamsBus(f"unix://{state_dir}/redis/redis.sock")

    def _as(self, login):
        return {"authorization": f"Bearer {self.app['users'][login]}"}

    async def get(self, path, login="maria"):
        """Return a resource of the repository."""
        response = await self._client.get(REPOSITORY + path, headers=self._as(login))
        response.raise_for_status()
        return response.json()

    async def post(self, path, body, login="maria"):
        """Create a resource of the repository."""
        response = await self._client.post(REPOSITORY + path, json=body, headers=self._as(login))
        response.raise_for_status()
        return response.json()

    async def patch(self, path, body, login="maria"):
        """Change a resource of the repository."""
        response = await self._client.patch(REPOSITORY + path, json=body, headers=self._as(login))
        response.raise_for_status()
        return response.json()

    async def comments(self, issue):
        """Return the comments of an issue or pull request, oldest first."""
        return await self.get(f"/issues/{issue}/comments?per_page=100")

    async def reactions(self, comment_id):
        """Return the reactions to a comment."""
        return {found["content"] for found in await self.get(f"/issues/comments/{comment_id}/reactions")}

    async def signal(self):
        """Publish the pool exhaustion as if Scout had just seen it."""
        seen, now = pool_signal(), datetime.now(UTC)
        fresh = seen.model_copy(
            update={"onset": now - timedelta(seconds=20), "detected": now, "environment": "sandbox"}
        )
        await self._bus.publish("signals", fresh.group_id, fresh.model_dump_json().encode())

    async def incidents(self):
        """Return the incidents as the dashboard lists them."""
        async with httpx.AsyncClient(base_url=self.web_url) as client:
            return (await client.get("/api/overview")).json()["incidents"]

    async def until_stage(self, stage):
        """Return the newest incident once it is in `stage`."""

        async def reached():
            found = await self.incidents()
            return found[0] if found and found[0]["stage"] == stage else None

        return await until(reached, f"stage {stage}")

    async def until_idle(self):
        """Return once nothing waits in the inbox or in the outbox."""

        async def idle():
            async with httpx.AsyncClient(base_url=self.web_url) as client:
                system = (await client.get("/api/system")).json()
            return system["inbox"]["pending"] == system["outbox"]["pending"] == 0

        await until(idle, "an end of the work")

    async def close(self):
        """Close the connections."""
        await self._client.aclose()
        await self._bus.close()


async def until(look: Callable[[], Awaitable[object]], what: str):
    """Return the first truthy value of `look`."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what} did not come within {READY_S:.0f} s")


@contextlib.asynccontextmanager
async def running_site(folder: Path, also: Mapping[str, str] | None = None):
    """Yield a `Site` whose processes end with the block; `also` is in the environment of SRE-Space."""
    fleet, ports = Fleet(folder / "logs"), free_ports()
    try:
        app = await start_github(fleet, folder / "github", ports)
        await start_service(fleet, folder, ports, app, {"SRE_SPACE_LEASE_S": "2", **(also or {})})
        site = Site(app, ports, folder / "state")
        try:
            yield site
        finally:
            await site.close()
    finally:
        await fleet.stop()

"""Plays scenarios in a running world: inject, follow, approve, read the result, heal."""

import asyncio
import contextlib
from dataclasses import dataclass

import httpx

from dashboard.model import IncidentDetail
from infra.sandbox.demo.fleet import Fleet
from infra.sandbox.demo.follow import DemoTimeoutError, Follower
from infra.sandbox.demo.people import MAINTAINER, Maintainer, typed_lines
from infra.sandbox.demo.report import IncidentReport, report_of
from infra.sandbox.demo.screen import Screen
from infra.sandbox.demo.world import World
from infra.sandbox.scenarios.catalog import SCENARIOS
from telemetry.model import ScoutStatus

SERVICES = ("gateway", "quote", "pricing")
WARM_UP_REQUESTS = 330
WARM_UP_S = 120.0
QUIET_S = 240.0
CALM_S = 10
"""Seconds in a row without anything open."""


@dataclass(frozen=True)
class Wishes:
    """What the person asked for on the command line."""

    scenarios: tuple[str, ...]
    yes: bool
    never_recover: bool


class Play:
    """One run of the demo in one world."""

    def __init__(self, world: World, fleet: Fleet, screen: Screen, wishes: Wishes) -> None:
        self._world = world
        self._screen = screen
        self._wishes = wishes
        self._follower = Follower(world.url("web"), fleet, screen)
        self._maintainer = Maintainer(world.app["api_url"], world.repository, world.token)
        self._scout = httpx.AsyncClient(base_url=world.url("scout"), timeout=5)

    async def close(self) -> None:
        """Close the connections."""
        await self._follower.close()
        await self._maintainer.close()
        await self._scout.aclose()

    async def run(self) -> list[IncidentReport]:
        """Play every scenario, one after another, and return their reports."""
        reports: list[IncidentReport] = []
        self._screen.say("The shop runs at normal load; Scout learns what normal is.")
        await self._warm_up()
        for name in self._wishes.scenarios:
            reports.append(await self._scenario(name))
            if len(reports) < len(self._wishes.scenarios):
                await self._quiet()
        return reports

    async def _scenario(self, name: str) -> IncidentReport:
        variant = f"{name}-never-recover" if self._wishes.never_recover else name
        scenario = SCENARIOS[variant]
        injection = await scenario.inject(self._world.sandbox)
        self._screen.say(f"Fault injected: {injection.description}")
        incident_id = await self._follower.new_incident()
        detail = await self._follower.until_it_ends(incident_id, self._moved, revert=self._wishes.never_recover)
        await scenario.heal(self._world.sandbox)
        await self._show(detail)
        return report_of(name, detail)

    async def _moved(self, detail: IncidentDetail) -> None:
        if detail.card.stage != "awaiting_approval" or detail.card.pull_request is None:
            return
        if detail.approvals:
            return
        if self._wishes.yes:
            self._screen.say(f"{MAINTAINER}, a maintainer, reads the pull request and writes /approve.")
            await self._maintainer.say(detail.card.pull_request, "/approve")
        else:
            self._ask = asyncio.create_task(self._asked(detail))

    async def _asked(self, detail: IncidentDetail) -> None:
        """Pass what is typed here on to the issue as the maintainer's comment."""
        number = detail.card.pull_request or 0
        self._screen.say(
            f"Your turn: open {detail.card.pull_request_url}, choose {MAINTAINER} and comment /approve there, "
            "or type it here and press Enter."
        )
        lines = await typed_lines()
        while line := await lines.get():
            with contextlib.suppress(httpx.HTTPError):
                await self._maintainer.say(number, line)

    async def _show(self, detail: IncidentDetail) -> None:
        number = detail.card.issue
        comments = await self._maintainer.comments(number) if number else []
        if comments:
            self._screen.comment(f"Issue #{number}: the incident's comment", comments[0])
        if detail.diff:
            self._screen.diff(detail.diff)
        if detail.verification:
            self._screen.say(f"What telemetry says: {detail.verification}.")

    async def _status(self) -> ScoutStatus:
        response = await self._scout.get("/scout/v1/status")
        response.raise_for_status()
        return ScoutStatus.model_validate_json(response.content)

    async def _open_signals(self) -> bool:
        """Return whether Scout has an open group on any service of the shop."""
        for service in SERVICES:
            query = {"environment": "sandbox", "service": service}
            response = await self._scout.get("/scout/v1/signals", params=query)
            response.raise_for_status()
            if response.json():
                return True
        return False

    async def _warm_up(self) -> None:
        """Wait until Scout has seen enough requests of every service for a baseline."""
        requests: list[int] = []
        for _ in range(int(WARM_UP_S)):
            status = await self._status()
            requests = [status.services[name].requests for name in SERVICES if name in status.services]
            if len(requests) == len(SERVICES) and min(requests) >= WARM_UP_REQUESTS:
                return
            await asyncio.sleep(1)
        raise DemoTimeoutError(f"Scout saw only {requests} requests within {WARM_UP_S:.0f} s of normal load")

    async def _quiet(self) -> None:
        """Wait until Scout has closed the last fault, so that the next one is an incident of its own."""
        self._screen.say("Waiting until Scout has closed the last fault.")
        calm = 0
        for _ in range(int(QUIET_S)):
            calm = 0 if await self._open_signals() or (await self._status()).suspects else calm + 1
            if calm >= CALM_S:
                return
            await asyncio.sleep(1)
        raise DemoTimeoutError(f"the shop was not back to normal within {QUIET_S:.0f} s")

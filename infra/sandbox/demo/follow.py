"""Follows one incident through the dashboard's API, as the page does, until it has ended."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx

from dashboard.model import IncidentDetail, Overview
from infra.sandbox.demo.fleet import Fleet
from infra.sandbox.demo.screen import Screen
from infra.sandbox.errors import SandboxError

ENDED = frozenset({"resolved", "escalated", "dismissed"})
POLL_S = 0.4
DETECTION_S = 150.0
INCIDENT_S = 360.0

Moved = Callable[[IncidentDetail], Awaitable[None]]


class DemoTimeoutError(SandboxError):
    """Something that the demo waits for did not happen in time; the message says what."""


class Follower:
    """Reads incidents over HTTP and prints their stages."""

    def __init__(self, web_url: str, fleet: Fleet, screen: Screen) -> None:
        self._client = httpx.AsyncClient(base_url=web_url, timeout=10)
        self._fleet = fleet
        self._screen = screen
        self._known: set[str] = set()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def new_incident(self) -> str:
        """Wait for an incident that was not there before and return its id.

        Raises:
            DemoTimeoutError: Scout found nothing.
        """
        deadline = time.monotonic() + DETECTION_S
        while time.monotonic() < deadline:
            self._fleet.check()
            overview = Overview.model_validate_json((await self._client.get("/api/overview")).content)
            fresh = [card.id for card in overview.incidents if card.id not in self._known]
            self._known.update(fresh)
            if fresh:
                return fresh[-1]
            await asyncio.sleep(POLL_S)
        raise DemoTimeoutError(f"no incident was opened within {DETECTION_S:.0f} s")

    async def until_it_ends(self, incident_id: str, moved: Moved, *, revert: bool = False) -> IncidentDetail:
        """Print every stage and call `moved` on it; return the incident as it ended (with its revert, if wanted).

        Raises:
            DemoTimeoutError: it did not end.
        """
        shown = 0
        deadline = time.monotonic() + INCIDENT_S
        while time.monotonic() < deadline:
            self._fleet.check()
            response = await self._client.get(f"/api/incidents/{incident_id}")
            detail = IncidentDetail.model_validate_json(response.content)
            for moment in detail.timeline[shown:]:
                self._screen.stage(moment)
            if len(detail.timeline) > shown:
                shown = len(detail.timeline)
                await moved(detail)
            if detail.card.stage in ENDED and (not revert or detail.revert_pull_request is not None):
                return detail
            await asyncio.sleep(POLL_S)
        raise DemoTimeoutError(f"the incident was still {detail.card.stage} after {INCIDENT_S:.0f} s")  # pyright: ignore[reportPossiblyUnboundVariable] - the loop runs at least once

"""The dashboard's routes: a static page, JSON reads, and the event stream."""

import re
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sse_starlette import EventSourceResponse

from dashboard.access import Access
from dashboard.headers import SecurityHeaders
from dashboard.login import login_routes
from dashboard.model import IncidentDetail, IncidentPage, Overview, Scorecard, System, Trend
from dashboard.ports import Filter, ReadModel, ScoutRead
from dashboard.stream import CLIENTS_MAX, Broadcaster, stream
from dashboard.system import SystemHealth
from telemetry.errors import TransientError

STATIC = Path(__file__).parent / "static"

_SEQUENCE = re.compile(r"[0-9]{1,18}")
Limit = Annotated[int, Query(ge=1, le=200)]


def mount_dashboard(
    app: FastAPI,
    read: ReadModel,
    *,
    scout: ScoutRead | None = None,
    access: Access | None = None,
    poll_s: float = 0.5,
) -> None:
    """Add the dashboard to `app`: `/`, `/login`, `/static`, `/api/…` and `/events`; see `docs/dashboard.md`.

    Without `access` it answers requests to a loopback name only.
    """
    access = access or Access()
    broadcaster = Broadcaster(read, poll_s=poll_s)
    app.include_router(_page(access))
    app.include_router(login_routes(access))
    app.include_router(_reads(read, access))
    app.include_router(_live(read, scout, broadcaster, access))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(TransientError, _unavailable)
    app.add_middleware(SecurityHeaders)


async def _unavailable(_request: Request, error: Exception) -> Response:
    said = {"message": f"The data cannot be read at the moment: {error}"}
    return JSONResponse(said, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"})


def _page(access: Access) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        if access.needs_sign_in and not access.is_signed_in(request):
            return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        await access.admit(request)
        return FileResponse(STATIC / "index.html")

    _ = page
    return router


def _reads(read: ReadModel, access: Access) -> APIRouter:
    """Return what is read from the database. Length: one short function for each of the routes."""
    router = APIRouter(prefix="/api", dependencies=[Depends(access.admit)])

    @router.get("/overview")
    async def overview(limit: Limit = 50) -> Overview:
        return await read.overview(limit)

    @router.get("/incidents")
    async def incidents(
        limit: Limit = 50,
        which: Filter = Filter.ALL,
        words: Annotated[str, Query(max_length=100)] = "",
        before: Annotated[str | None, Query(max_length=200)] = None,
    ) -> IncidentPage:
        try:
            return await read.incidents(limit, which=which, words=words.strip(), before=before)
        except ValueError as error:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"before: {error}") from error

    @router.get("/incidents/{incident_id}")
    async def incident(incident_id: str) -> IncidentDetail:
        found = await read.incident(incident_id)
        if found is None:
            raise HTTPException(404, f"There is no incident {incident_id!r}. The list is at /api/overview.")
        return found

    @router.get("/trend")
    async def trend(days: Literal["1", "7", "30"] = "7") -> Trend:
        return await read.trend(int(days))

    @router.get("/scorecard")
    async def scorecard(days: Annotated[int, Query(ge=1, le=365)] = 90) -> Scorecard:
        return await read.scorecard(days)

    _ = (overview, incidents, incident, trend, scorecard)
    return router


def _live(read: ReadModel, scout: ScoutRead | None, broadcaster: Broadcaster, access: Access) -> APIRouter:
    router = APIRouter(dependencies=[Depends(access.admit)])
    health = SystemHealth(read, scout)

    @router.get("/api/system")
    async def system() -> System:
        return await health.now(clients=broadcaster.clients)

    @router.get("/events")
    async def events(
        after: Annotated[int | None, Query(ge=0, lt=10**18)] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventSourceResponse:
        if broadcaster.clients >= CLIENTS_MAX:
            raise HTTPException(503, "Too many pages listen already.", {"Retry-After": "30"})
        start = int(last_event_id) if last_event_id and _SEQUENCE.fullmatch(last_event_id) else after
        return EventSourceResponse(stream(read, broadcaster, start), ping=3600)

    _ = (system, events)
    return router

"""The dashboard's routes: a static page, JSON reads, and the event stream."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, HTTPException, Query
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.model import EventRecord, IncidentDetail, Overview
from dashboard.ports import ReadModel
from dashboard.stream import PAGE, Broadcaster

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
HEARTBEAT_S = 15.0


def mount_dashboard(app: FastAPI, read: ReadModel, *, poll_s: float = 0.5) -> None:
    """Add the dashboard to `app`: `/`, `/static`, `/api/overview`, `/api/incidents/{id}` and `/events`."""
    app.include_router(_routes(read, Broadcaster(read, poll_s=poll_s)))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    app.add_middleware(SecurityHeaders)


class SecurityHeaders:
    """Pure ASGI middleware: sets `HEADERS` on every response, without buffering the event stream."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to the start of the response."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


def _routes(read: ReadModel, broadcaster: Broadcaster) -> APIRouter:
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @router.get("/api/overview")
    async def overview(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Overview:
        return await read.overview(limit)

    @router.get("/api/incidents/{incident_id}")
    async def incident(incident_id: str) -> IncidentDetail:
        found = await read.incident(incident_id)
        if found is None:
            raise HTTPException(404, f"There is no incident {incident_id!r}. The list is at /api/overview.")
        return found

    @router.get("/events")
    async def events(
        after: Annotated[int | None, Query(ge=0)] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventSourceResponse:
        start = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
        return EventSourceResponse(_stream(read, broadcaster, start), ping=3600)

    _ = (page, overview, incident, events)
    return router


async def _stream(read: ReadModel, broadcaster: Broadcaster, after: int | None) -> AsyncIterator[ServerSentEvent]:
    """Yield what was missed since `after`, then what happens, a heartbeat in between, or one `resync` and the end."""
    async with broadcaster.subscribe() as queue:
        sent = await read.last_sequence() if after is None else after
        while missed := await read.events_after(sent, PAGE):
            for event in missed:
                yield _message(event)
            sent = missed[-1].sequence
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
            except TimeoutError:
                yield ServerSentEvent(event="heartbeat", data=str(sent))
                continue
            if event is None:
                yield ServerSentEvent(event="resync", data="")
                return
            if event.sequence > sent:
                sent = event.sequence
                yield _message(event)


def _message(event: EventRecord) -> ServerSentEvent:
    return ServerSentEvent(event="stage", id=str(event.sequence), data=event.model_dump_json())

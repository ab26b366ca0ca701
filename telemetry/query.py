"""Scout's query API over HTTP: read-only, for the worker and the dashboard."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Query
from pydantic import AwareDatetime

from telemetry.model import GroupStatus, RevisionSeen, ScoutStatus, SeriesKey, Signal, SliReport
from telemetry.scout import Scout
from telemetry.steps import in_turns

_WINDOW_MAX_S = 3600

Name = Annotated[str, Query(min_length=1, max_length=500)]


def query_router(scout: Scout, *, token: str | None = None) -> APIRouter:
    """Return the routes under `/scout/v1`. They run in the event loop, in the pauses of a tick.

    With a `token`, every request must carry it as bearer token (401 otherwise); it reads all tenants.

    Length: one short function for each of the routes.
    """

    async def admitted(authorization: Annotated[str, Header()] = "") -> None:
        given = authorization.encode("utf-8", "surrogateescape")
        if token is not None and not hmac.compare_digest(f"Bearer {token}".encode(), given):
            raise HTTPException(401, "a bearer token is needed", headers={"WWW-Authenticate": "Bearer"})

    router = APIRouter(prefix="/scout/v1", tags=["scout"], dependencies=[Depends(admitted)])

    @router.get("/sli")
    async def sli(
        service: Name,
        operation: Name,
        since: AwareDatetime,
        tenant: Name = "default",
        environment: Name = "default",
        window_s: Annotated[int, Query(ge=5, le=_WINDOW_MAX_S)] = 10,
        min_requests: Annotated[int, Query(ge=1)] = 5,
        revision: Annotated[str | None, Query(max_length=500)] = None,
    ) -> SliReport:
        """Return how a series has been since then, in windows with a verdict each."""
        key = SeriesKey(tenant=tenant, environment=environment, service=service, operation=operation)
        return scout.sli(key, since=since, window_s=window_s, min_requests=min_requests, revision=revision)

    @router.get("/groups/{group_id}")
    async def group(group_id: str) -> GroupStatus:
        """Return where a group of anomalies stands now."""
        status = scout.group(group_id)
        if status is None:
            raise HTTPException(404, "no such group")
        return status

    @router.get("/signals")
    async def signals(service: Name, tenant: Name = "default", environment: Name | None = None) -> list[Signal]:
        """Return the latest signal of each open group with an anomaly on a service; by default in any environment."""
        return list(scout.signals(tenant, environment, service))

    @router.get("/versions")
    async def versions(service: Name, tenant: Name = "default", environment: Name = "default") -> list[RevisionSeen]:
        """Return the versions of a service that telemetry has shown, oldest first."""
        return list(scout.versions(tenant, environment, service))

    @router.get("/status")
    async def status() -> ScoutStatus:
        """Return Scout's own health."""
        return await in_turns(scout.status())

    return router

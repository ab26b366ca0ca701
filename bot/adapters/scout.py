"""The `Telemetry` port over Scout's query API."""

from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from agents.errors import ScoutUnavailableError
from telemetry.model import GroupStatus, RevisionSeen, ScoutStatus, SeriesKey, Signal, SliReport

T = TypeVar("T")

_GROUP = TypeAdapter(GroupStatus)
_REPORT = TypeAdapter(SliReport)
_SIGNALS = TypeAdapter(tuple[Signal, ...])
_STATUS = TypeAdapter(ScoutStatus)
_VERSIONS = TypeAdapter(tuple[RevisionSeen, ...])


class ScoutClient:
    """Asks the scout process. Every method raises ScoutUnavailableError when it does not answer as it should.

    `inner` replaces the network in tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        timeout_s: float = 5.0,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(
            base_url=f"{base_url}/scout/v1", timeout=timeout_s, headers=headers, transport=inner
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def group(self, group_id: str) -> GroupStatus | None:
        """Return where a group stands; None when Scout does not know it (any more)."""
        return await self._get(f"/groups/{group_id}", {}, _GROUP)

    async def signals(self, tenant: str, environment: str | None, service: str) -> tuple[Signal, ...]:
        """Return the latest signal of every open group that has an anomaly on `service`; None: in any environment."""
        query = {"tenant": tenant, "service": service, **({"environment": environment} if environment else {})}
        return await self._get("/signals", query, _SIGNALS) or ()

    async def sli(
        self, key: SeriesKey, *, since: datetime, window_s: int, min_requests: int, revision: str | None
    ) -> SliReport:
        """Return how a series has been since then; all its windows are NO_DATA when nothing was seen."""
        query = {
            **key.model_dump(),
            "since": since.isoformat(),
            "window_s": str(window_s),
            "min_requests": str(min_requests),
            **({"revision": revision} if revision else {}),
        }
        report = await self._get("/sli", query, _REPORT)
        return report or SliReport(key=key, revision=revision, baseline_error_ratio=0.0, windows=())

    async def versions(self, tenant: str, environment: str, service: str) -> tuple[RevisionSeen, ...]:
        """Return the versions of a service that telemetry has shown, oldest first."""
        query = {"tenant": tenant, "environment": environment, "service": service}
        return await self._get("/versions", query, _VERSIONS) or ()

    async def status(self) -> ScoutStatus:
        """Return Scout's own health, the service graph, and the last minute of every service."""
        found = await self._get("/status", {}, _STATUS)
        if found is None:
            raise ScoutUnavailableError("Scout's query API has no /status")
        return found

    async def _get(self, path: str, query: dict[str, str], adapter: TypeAdapter[T]) -> T | None:
        try:
            response = await self._client.get(path, params=query)
            if response.status_code == HTTPStatus.NOT_FOUND:
                return None
            response.raise_for_status()
            return adapter.validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise ScoutUnavailableError(f"Scout's query API did not answer {path}: {error}") from error

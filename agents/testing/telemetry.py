"""A fake of Scout's query API that tells what a test put into it."""

from collections.abc import Callable
from datetime import datetime

from agents.errors import ScoutUnavailableError
from telemetry.model import GroupStatus, RevisionSeen, SeriesKey, Signal, SliReport

Answer = Callable[[SeriesKey, datetime, str | None], SliReport]


class FakeTelemetry:
    """Implements `agents.ports.Telemetry` from dicts; `down` makes every call fail as an unreachable Scout would.

    `sli` looks in `answers` (a function per service) first, then in `reports`; a series that nobody put in has no
    windows, as in the real API when there was no traffic.
    """

    def __init__(self) -> None:
        self.groups: dict[str, GroupStatus] = {}
        self.open_signals: list[Signal] = []
        self.reports: dict[SeriesKey, SliReport] = {}
        self.answers: dict[str, Answer] = {}
        self.revisions: dict[str, tuple[RevisionSeen, ...]] = {}
        self.calls: list[str] = []
        self.down = False

    async def group(self, group_id: str) -> GroupStatus | None:
        """Return the group that was put in, or None."""
        self._note(f"group {group_id}")
        return self.groups.get(group_id)

    async def signals(self, tenant: str, environment: str | None, service: str) -> tuple[Signal, ...]:
        """Return the open signals with an anomaly on `service`."""
        self._note(f"signals {service}")
        return tuple(
            found
            for found in self.open_signals
            if found.tenant == tenant
            and environment in {found.environment, None}
            and any(anomaly.key.service == service for anomaly in found.anomalies)
        )

    async def sli(
        self, key: SeriesKey, *, since: datetime, window_s: int, min_requests: int, revision: str | None
    ) -> SliReport:
        """Return the report of that series since then."""
        self._note(f"sli {key.service} {key.operation} window_s={window_s} min_requests={min_requests}")
        if key.service in self.answers:
            return self.answers[key.service](key, since, revision)
        empty = SliReport(key=key, revision=revision, baseline_error_ratio=0, windows=())
        report = self.reports.get(key, empty)
        return report.model_copy(update={"windows": tuple(w for w in report.windows if w.start >= since)})

    async def versions(self, tenant: str, environment: str, service: str) -> tuple[RevisionSeen, ...]:
        """Return the versions seen of `service`, oldest first."""
        self._note(f"versions {tenant} {environment} {service}")
        return self.revisions.get(service, ())

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if self.down:
            raise ScoutUnavailableError("Scout does not answer")

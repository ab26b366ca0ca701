"""The `Telemetry` port of a workflow: recorded telemetry through Scout's own code, or a running Scout, or nothing."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from action.errors import InputError, NoTelemetryError
from agents.ports import Telemetry
from telemetry.files import TelemetryFile, merged
from telemetry.model import GroupStatus, RevisionSeen, SeriesKey, Signal, SliReport
from telemetry.offline import OfflineScout

DEFAULT = "default"


class NoTelemetry:
    """There is none: whatever is asked, the answer is that nobody can know."""

    async def group(self, group_id: str) -> GroupStatus | None:
        """See the class. Raises NoTelemetryError."""
        del group_id
        raise self._error()

    async def signals(self, tenant: str, environment: str | None, service: str) -> tuple[Signal, ...]:
        """See the class. Raises NoTelemetryError."""
        del tenant, environment, service
        raise self._error()

    async def sli(
        self, key: SeriesKey, *, since: datetime, window_s: int, min_requests: int, revision: str | None
    ) -> SliReport:
        """See the class. Raises NoTelemetryError."""
        del key, since, window_s, min_requests, revision
        raise self._error()

    async def versions(self, tenant: str, environment: str, service: str) -> tuple[RevisionSeen, ...]:
        """See the class. Raises NoTelemetryError."""
        del tenant, environment, service
        raise self._error()

    def _error(self) -> NoTelemetryError:
        return NoTelemetryError(
            "this workflow gives me no telemetry to look at. Set the input `telemetry` to files of the Collector's "
            "file exporter, or `scout-url` to a running Scout"
        )


class Replay:
    """Telemetry files, played to a Scout in this process in the order of their times, in event time."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._files = [TelemetryFile(path) for path in paths]
        self._offline = OfflineScout()
        self._scout = self._offline.scout

    def read(self) -> None:
        """Play what was added to the files since the last call. Raises TelemetryFileError."""
        for at_ns, message in merged(file.messages(growing=True) for file in self._files):
            self._offline.take(at_ns, message)

    async def group(self, group_id: str) -> GroupStatus | None:
        """See `Scout.group`; None too for a group of another run, whose numbers start anew."""
        self.read()
        return self._scout.group(group_id)

    async def signals(self, tenant: str, environment: str | None, service: str) -> tuple[Signal, ...]:
        """See `Scout.signals`."""
        self.read()
        return self._scout.signals(tenant, environment, service)

    async def sli(
        self, key: SeriesKey, *, since: datetime, window_s: int, min_requests: int, revision: str | None
    ) -> SliReport:
        """See `Scout.sli`."""
        self.read()
        return self._scout.sli(key, since=since, window_s=window_s, min_requests=min_requests, revision=revision)

    async def versions(self, tenant: str, environment: str, service: str) -> tuple[RevisionSeen, ...]:
        """See `Scout.versions`."""
        self.read()
        return self._scout.versions(tenant, environment, service)


class InEnvironment:
    """Asks for one environment where an incident names none: one that a person reports says only which service."""

    def __init__(self, inner: Telemetry, environment: str) -> None:
        self._inner = inner
        self._environment = environment

    async def group(self, group_id: str) -> GroupStatus | None:
        """Ask the inner port."""
        return await self._inner.group(group_id)

    async def signals(self, tenant: str, environment: str | None, service: str) -> tuple[Signal, ...]:
        """Ask the inner port."""
        return await self._inner.signals(tenant, environment or self._environment, service)

    async def sli(
        self, key: SeriesKey, *, since: datetime, window_s: int, min_requests: int, revision: str | None
    ) -> SliReport:
        """Ask the inner port."""
        named = key.model_copy(update={"environment": self._named(key.environment)})
        return await self._inner.sli(
            named, since=since, window_s=window_s, min_requests=min_requests, revision=revision
        )

    async def versions(self, tenant: str, environment: str, service: str) -> tuple[RevisionSeen, ...]:
        """Ask the inner port."""
        return await self._inner.versions(tenant, self._named(environment), service)

    def _named(self, environment: str) -> str:
        return self._environment if environment == DEFAULT else environment


def files_of(pattern: str, workspace: Path) -> tuple[Path, ...]:
    """Return the files that a pattern names, relative to the workspace.

    Raises:
        InputError: it names none, which is more likely a mistake than a wish.
    """
    found = tuple(sorted(path for part in pattern.split() for path in workspace.glob(part) if path.is_file()))
    if not found:
        raise InputError("telemetry", f"names no file: {pattern}")
    return found

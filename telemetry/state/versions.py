"""Versions of services that telemetry has shown."""

from collections.abc import Iterable

import msgspec

from telemetry.model import RevisionSeen, utc
from telemetry.state.limits import Limits
from telemetry.state.resource import Resource
from telemetry.state.series import Release


class VersionMemory(msgspec.Struct, array_like=True, frozen=True):
    """A release of a service, with first and last event time in Unix nanoseconds."""

    tenant: str
    environment: str
    service: str
    version: str
    revision: str
    first_ns: int
    last_ns: int


class Versions:
    """First and last event time in nanoseconds by service and release; the longest unseen go first."""

    def __init__(self, limits: Limits) -> None:
        self._max = limits.max_versions_per_service
        self._max_services = limits.max_series
        self._seen: dict[tuple[str, str, str], dict[Release, tuple[int, int]]] = {}

    def see(self, resource: Resource, first_ns: int, last_ns: int) -> None:
        """Note that a resource sent telemetry of this stretch of time."""
        service = (resource.tenant, resource.environment, resource.service)
        releases = self._seen.setdefault(service, {})
        before = releases.get(resource.release, (first_ns, last_ns))
        releases[resource.release] = (min(before[0], first_ns), max(before[1], last_ns))
        if len(releases) > self._max:
            del releases[min(releases, key=lambda release: releases[release][1])]
        if len(self._seen) > self._max_services:
            del self._seen[next(iter(self._seen))]

    def dump(self) -> list[VersionMemory]:
        """Return every release that was seen, by service and the time it was first seen."""
        return [
            VersionMemory(*service, *release, *times)
            for service, releases in self._seen.items()
            for release, times in releases.items()
        ]

    def load(self, versions: Iterable[VersionMemory]) -> None:
        """Take over what `dump` returned."""
        for seen in versions:
            releases = self._seen.setdefault((seen.tenant, seen.environment, seen.service), {})
            releases[seen.version, seen.revision] = (seen.first_ns, seen.last_ns)

    def of(self, tenant: str, environment: str, service: str) -> list[RevisionSeen]:
        """Return the releases of a service by the time they were first seen, oldest first."""
        releases = self._seen.get((tenant, environment, service), {})
        return [
            RevisionSeen(
                service=service,
                version=version or None,
                revision=revision or None,
                first_seen=utc(first_ns),
                last_seen=utc(last_ns),
            )
            for (version, revision), (first_ns, last_ns) in sorted(releases.items(), key=lambda seen: seen[1])
        ]

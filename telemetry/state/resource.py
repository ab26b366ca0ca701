"""Resources: who sent it, remembered by the bytes of the OTLP resource so that attributes are read once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage

from telemetry.scrub import scrub_name
from telemetry.state.attributes import first, read
from telemetry.state.cells import Slot
from telemetry.state.drops import Drops
from telemetry.state.limits import Limits
from telemetry.state.peers import Peers
from telemetry.state.series import Release

UNKNOWN_SERVICE = "unknown_service"  # what the resource conventions prescribe where service.name is missing

_WANTED = frozenset(
    {
        "service.name",
        "service.version",
        "service.instance.id",
        "vcs.ref.head.revision",
        "deployment.environment.name",
        "deployment.environment",
    }
)
_PEERS_MAX = 1_000
_KEY_MAX = 16_384  # bytes; a resource above that is read each time


Entry = tuple[str, Slot | None]
"""The operation that a span name stands for, and its slot; None when there was no room for the series."""


@dataclass(slots=True, eq=False)
class Resource:
    """A service instance, with what its span names led to last time."""

    tenant: str
    environment: str
    service: str
    version: str
    revision: str
    instance: str
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    """By span name (and route, where the name says nothing) of SERVER and CONSUMER spans."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """Scrubbed names of other spans."""
    peers: Peers = field(default_factory=lambda: Peers(_PEERS_MAX))

    @property
    def release(self) -> Release:
        """What runs."""
        return self.version, self.revision

    def forget_names(self) -> None:
        """Forget what span names led to."""
        self.entries.clear()
        self.labels.clear()


def resource_of(tenant: str, attributes: Mapping[str, str]) -> Resource:
    """Return a resource from its attributes; stable names win over older aliases."""
    clean = {name: scrub_name(value) for name, value in attributes.items()}
    return Resource(
        tenant=tenant,
        environment=first(clean, "deployment.environment.name", "deployment.environment") or "default",
        service=clean.get("service.name") or UNKNOWN_SERVICE,
        version=clean.get("service.version", ""),
        revision=clean.get("vcs.ref.head.revision", ""),
        instance=clean.get("service.instance.id", ""),
    )


class Resources:
    """The resources of one tenant; the oldest goes when there are too many."""

    def __init__(self, tenant: str, limits: Limits, drops: Drops) -> None:
        self._tenant = tenant
        self._max = limits.max_resources
        self._drops = drops
        self._known: dict[bytes, Resource] = {}

    def of(self, message: ResourceMessage) -> Resource:
        """Return the resource that an OTLP resource describes."""
        key = message.SerializeToString()
        resource = self._known.get(key)
        if resource is None:
            resource = resource_of(self._tenant, read(message.attributes, _WANTED))
            if len(key) <= _KEY_MAX:
                self._known[key] = resource
            if len(self._known) > self._max:
                del self._known[next(iter(self._known))]
                self._drops.count("resources_forgotten")
        return resource

    def forget_names(self) -> None:
        """Forget what span names led to, in every resource."""
        for resource in self._known.values():
            resource.forget_names()

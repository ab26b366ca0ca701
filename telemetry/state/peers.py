"""Peers: the far side of CLIENT, PRODUCER and CONSUMER spans, as they name it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from telemetry.scrub import scrub_name
from telemetry.state.attributes import first, read
from telemetry.state.views import CalleeKind

_TRUST = 15  # spans for which the peer of a name is taken as known
_NEVER = -1

WANTED = frozenset(
    {
        "db.system.name",
        "db.system",
        "messaging.system",
        "service.peer.name",
        "peer.service",
        "server.address",
        "net.peer.name",
        "network.peer.address",
        "server.port",
        "net.peer.port",
        "network.peer.port",
    }
)
"""Attributes that `peer_of` reads: stable names and the older ones they replaced."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The far side of a CLIENT, PRODUCER or CONSUMER span as the span names it."""

    name: str
    kind: CalleeKind


def peer_of(attributes: Mapping[str, str]) -> Peer | None:
    """Return what a span says about its far side, or None when it says nothing."""
    host = first(attributes, "server.address", "net.peer.name", "network.peer.address")
    port = first(attributes, "server.port", "net.peer.port", "network.peer.port")
    address = f"{host}:{port}" if host and port else host
    database = first(attributes, "db.system.name", "db.system")
    queue = attributes.get("messaging.system", "")
    if database or queue:
        system = database or queue
        name = f"{system}:{address}" if address else system
        return Peer(scrub_name(name), "database" if database else "queue")
    service = first(attributes, "service.peer.name", "peer.service")
    if service:
        return Peer(scrub_name(service), "service")
    return Peer(scrub_name(address), "external") if address else None


class Peers:
    """Peers of one resource by span name, so that attributes are not read for every call.

    A name that always led to one peer is looked up again at every 16th span; a name that led to several (`GET`)
    is looked up each time.
    """

    __slots__ = ("_by_attributes", "_by_name", "_max")

    def __init__(self, maximum: int) -> None:
        self._max = maximum
        self._by_name: dict[str, tuple[Peer | None, int]] = {}
        self._by_attributes: dict[tuple[str, ...], Peer | None] = {}

    def of(self, name: str, attributes: Iterable[KeyValue]) -> Peer | None:
        """Return the peer of a span with this name and these attributes."""
        known = self._by_name.get(name)
        if known is not None and known[1] > 0:
            self._by_name[name] = (known[0], known[1] - 1)
            return known[0]
        peer = self._look_up(attributes)
        if known is None:
            if len(self._by_name) >= self._max:
                self._by_name.clear()
            self._by_name[name] = (peer, _TRUST)
        elif known[1] == 0:
            self._by_name[name] = (peer, _TRUST if peer == known[0] else _NEVER)
        return peer

    def _look_up(self, attributes: Iterable[KeyValue]) -> Peer | None:
        values = read(attributes, WANTED)
        key = (*values, *values.values())
        if key not in self._by_attributes:
            if len(self._by_attributes) >= self._max:
                self._by_attributes.clear()
            self._by_attributes[key] = peer_of(values)
        return self._by_attributes[key]

"""Peers: the far side of CLIENT, PRODUCER and CONSUMER spans, as they name it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from telemetry.scrub import scrub_name
from telemetry.state.attributes import first, read
from telemetry.state.columns import SpanColumns
from telemetry.state.views import CalleeKind

_LOOKS = 8
_TRUST, _TRUST_MAX = 12, 60

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


@dataclass(slots=True)
class _Habit:
    """Where spans of one name go: `trusted` more of them are not looked up, after `looks` that agreed."""

    peer: Peer | None
    looks: int = 1
    trusted: int = 0


class Peers:
    """Peers of one resource by span name, so that attributes are not read for every call.

    A name that led to one peer eight times is then looked up every 13th to 17th time, and less often with each time
    that it did again, up to every 61st to 65th (not at one fixed interval: calls may alternate). A name that led to
    several (`GET`) is looked up each time, and so is every failed call.
    """

    __slots__ = ("_by_attributes", "_habits", "_max")

    def __init__(self, maximum: int) -> None:
        self._max = maximum
        self._habits: dict[str, _Habit | None] = {}
        self._by_attributes: dict[tuple[str, ...], Peer | None] = {}

    def of(self, name: str, spans: SpanColumns, at: int) -> Peer | None:
        """Return the peer of the span at a place, whose attributes are read only where its name does not tell."""
        habit = self._habits.get(name)
        if habit is not None and habit.trusted and not spans.failed[at]:
            habit.trusted -= 1
            return habit.peer
        peer = self._look_up(spans.whole(at).attributes)
        if habit is not None:
            self._check(name, habit, peer)
        elif name not in self._habits:
            if len(self._habits) >= self._max:
                self._habits.clear()
            self._habits[name] = _Habit(peer)
        return peer

    def _check(self, name: str, habit: _Habit, peer: Peer | None) -> None:
        if peer != habit.peer:
            self._habits[name] = None
            return
        habit.looks += 1
        if habit.looks >= _LOOKS:
            habit.trusted = min(_TRUST_MAX, _TRUST * (habit.looks - _LOOKS + 1)) + habit.looks % 5

    def _look_up(self, attributes: Iterable[KeyValue]) -> Peer | None:
        values = read(attributes, WANTED)
        key = (*values, *values.values())
        if key not in self._by_attributes:
            if len(self._by_attributes) >= self._max:
                self._by_attributes.clear()
            self._by_attributes[key] = peer_of(values)
        return self._by_attributes[key]

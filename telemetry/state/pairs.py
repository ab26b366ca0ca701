"""Pairing of client and server spans, whichever comes first, to find who calls whom."""

from typing import NamedTuple

from telemetry.state.drops import Drops
from telemetry.state.graph import ServiceGraph
from telemetry.state.limits import Limits
from telemetry.state.peers import Peer
from telemetry.state.views import CalleeKind, Edge

_ADDRESSES_MAX = 10_000
_AMBIGUOUS = ""


class Call(NamedTuple):
    """A client span: who called, how it went, and the address that it named."""

    environment: str
    service: str
    end_ns: int
    duration_ns: int
    error: bool
    peer: Peer | None


class Pairs:
    """Waiting halves of one tenant, in two generations: a half waits between a half and the whole of the TTL.

    The server span's parent id is the client span's id. A client span that finds no server span becomes an edge
    to the service that was found before behind the same address, else to the address itself.
    """

    def __init__(self, tenant: str, graph: ServiceGraph, limits: Limits, drops: Drops) -> None:
        self._tenant = tenant
        self._graph = graph
        self._drops = drops
        self._max = limits.max_pairs // 2
        self._generation_s = limits.pair_ttl_s // 2
        self._turned_s: int | None = None
        self._calls: dict[bytes, Call] = {}
        self._old_calls: dict[bytes, Call] = {}
        self._servers: dict[bytes, str] = {}
        self._old_servers: dict[bytes, str] = {}
        self._behind: dict[tuple[str, str], str] = {}

    def add_call(self, span_id: bytes, call: Call) -> None:
        """Take a CLIENT span (or a PRODUCER span that names no queue)."""
        peer = call.peer
        if peer is not None and peer.kind in ("database", "queue"):
            self._record(call, peer.name, peer.kind)
            return
        service = self._servers.pop(span_id, None) or self._old_servers.pop(span_id, None)
        if service is not None:
            self._match(call, service)
        elif call.error and (known := self._known(call)):
            # A callee that is down sends no server span: do not let its edge wait for the TTL.
            self._record(call, known, "service")
        else:
            self._calls[span_id] = call
            if len(self._calls) > self._max:
                self._turn(early=True)

    def add_server(self, parent_id: bytes, service: str) -> None:
        """Take a SERVER span that has a parent."""
        call = self._calls.pop(parent_id, None) or self._old_calls.pop(parent_id, None)
        if call is not None:
            self._match(call, service)
            return
        self._servers[parent_id] = service
        if len(self._servers) > self._max:
            self._turn(early=True)

    def expire(self, now_s: int) -> None:
        """Let go of halves that waited longer than the TTL at event time `now_s`."""
        if self._turned_s is None:
            self._turned_s = now_s
        elif now_s - self._turned_s >= self._generation_s:
            self._turned_s = now_s
            self._turn(early=False)

    def _turn(self, *, early: bool) -> None:
        if early and (self._old_calls or self._old_servers):
            self._drops.count("pairs_early", len(self._old_calls) + len(self._old_servers))
        for call in self._old_calls.values():
            known = self._known(call)
            if known:
                self._record(call, known, "service")
            elif call.peer is not None:
                self._record(call, call.peer.name, call.peer.kind)
        self._old_calls, self._calls = self._calls, {}
        self._old_servers, self._servers = self._servers, {}

    def _match(self, call: Call, service: str) -> None:
        if call.peer is not None:
            address = (call.environment, call.peer.name)
            before = self._behind.get(address)
            if before is None:
                if len(self._behind) >= _ADDRESSES_MAX:
                    del self._behind[next(iter(self._behind))]
                self._behind[address] = service
            elif before != service:  # a gateway or sidecar: the address does not tell the service
                self._behind[address] = _AMBIGUOUS
        self._record(call, service, "service")

    def _known(self, call: Call) -> str:
        return "" if call.peer is None else self._behind.get((call.environment, call.peer.name), "")

    def _record(self, call: Call, callee: str, kind: CalleeKind) -> None:
        if callee != call.service:
            edge = Edge(call.service, callee, kind, self._tenant, call.environment)
            self._graph.add(edge, call.end_ns, call.duration_ns, call.error)

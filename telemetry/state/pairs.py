"""Pairing of client and server spans, whichever comes first, to find who calls whom."""

from telemetry.state.cells import Slot
from telemetry.state.drops import Drops
from telemetry.state.graph import ServiceGraph
from telemetry.state.limits import Limits
from telemetry.state.peers import Peer
from telemetry.state.resource import Resource
from telemetry.state.views import CalleeKind, Edge

_ADDRESSES_MAX = 10_000
_AMBIGUOUS = ""


Call = tuple[Resource, int, int, bool, Peer | None]
"""A client span: who called, its end and duration in nanoseconds, whether it failed, and the far side that it named."""


Route = tuple[Resource, str | None, str, CalleeKind]
"""Who calls what through which address: caller, name of the peer, callee and its kind."""


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
        self._routes: dict[Route, Slot] = {}
        self._max_routes = limits.max_edges

    def add_call(self, span_id: bytes, call: Call) -> None:
        """Take a CLIENT span (or a PRODUCER span that names no queue)."""
        peer = call[4]
        if peer is not None and peer.kind in ("database", "queue"):
            self._record(call, peer.name, peer.kind)
            return
        service = self._servers.pop(span_id, None) or self._old_servers.pop(span_id, None)
        if service is not None:
            self._match(call, service)
        elif call[3] and (known := self._known(call)):
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
            elif (peer := call[4]) is not None:
                self._record(call, peer.name, peer.kind)
        self._old_calls, self._calls = self._calls, {}
        self._old_servers, self._servers = self._servers, {}

    def _match(self, call: Call, service: str) -> None:
        """Count a call whose server span was found; what the route stands for is looked up once."""
        resource, end_ns, duration_ns, error, peer = call
        slot = self._routes.get((resource, peer.name if peer is not None else None, service, "service"))
        if slot is not None:
            slot.add(end_ns, duration_ns, error)
            return
        if peer is not None:
            self._learn((resource.environment, peer.name), service)
        self._record(call, service, "service")

    def _learn(self, address: tuple[str, str], service: str) -> None:
        before = self._behind.get(address)
        if before is None:
            if len(self._behind) >= _ADDRESSES_MAX:
                del self._behind[next(iter(self._behind))]
            self._behind[address] = service
        elif before != service:  # a gateway or sidecar: the address does not tell the service
            self._behind[address] = _AMBIGUOUS

    def _known(self, call: Call) -> str:
        resource, _, _, _, peer = call
        return "" if peer is None else self._behind.get((resource.environment, peer.name), "")

    def _record(self, call: Call, callee: str, kind: CalleeKind) -> None:
        resource, end_ns, duration_ns, error, peer = call
        if callee == resource.service:
            return
        route = (resource, peer.name if peer is not None else None, callee, kind)
        slot = self._routes.get(route)
        if slot is None:
            slot = self._graph.slot(Edge(resource.service, callee, kind, self._tenant, resource.environment))
            if slot is None:
                return
            if len(self._routes) >= self._max_routes:
                self._routes.clear()
            self._routes[route] = slot
        slot.add(end_ns, duration_ns, error)

    def forget_routes(self) -> None:
        """Forget which slots calls are counted in: the graph may have let go of them."""
        self._routes.clear()

"""The service graph of one environment at one moment: what is reached from where."""

from collections.abc import Iterable

from telemetry.state import Edge


class Graph:
    """Services, and the databases, queues and other nodes that they call, by who calls whom."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._callees: dict[str, set[str]] = {}
        self._callers: dict[str, set[str]] = {}
        for edge in edges:
            if edge.caller != edge.callee:
                self._callees.setdefault(edge.caller, set()).add(edge.callee)
                self._callers.setdefault(edge.callee, set()).add(edge.caller)

    def below(self, service: str, hops: int) -> frozenset[str]:
        """Return what `service` calls, directly or over at most `hops` edges, itself excluded."""
        return _reached({service}, hops, self._callees) - {service}

    def near(self, nodes: Iterable[str], hops: int) -> frozenset[str]:
        """Return what is within `hops` edges of any of the nodes, in either direction, the nodes included."""
        return _reached(nodes, hops, self._callees, self._callers)

    def is_entry(self, service: str) -> bool:
        """Return whether no other service calls this one."""
        return service not in self._callers


def _reached(start: Iterable[str], hops: int, *directions: dict[str, set[str]]) -> frozenset[str]:
    front = set(start)
    seen = set(front)
    for _ in range(hops):
        following = [next_to[node] for node in front for next_to in directions if node in next_to]
        front = set().union(*following) - seen
        seen |= front
    return frozenset(seen)

"""The service graph: edges with the requests that went along them."""

from collections import deque
from collections.abc import Sequence

from telemetry.state.cells import CellBudget, Slot
from telemetry.state.drops import Drops
from telemetry.state.limits import Limits
from telemetry.state.views import Edge


class ServiceGraph:
    """Edges of all tenants with the cells of their calls."""

    def __init__(self, limits: Limits, drops: Drops, budget: CellBudget) -> None:
        self._limits = limits
        self._drops = drops
        self._budget = budget
        self._slots: dict[Edge, Slot] = {}

    def add(self, edge: Edge, end_ns: int, duration_ns: int, error: bool) -> None:  # noqa: FBT001 — the hot path
        """Count one call of an edge."""
        slot = self._slots.get(edge)
        if slot is None:
            if len(self._slots) >= self._limits.max_edges:
                self._drops.count("edges")
                return
            slot = self._slots[edge] = Slot(self._budget)
        slot.add(end_ns, duration_ns, error)

    def slots(self, edge: Edge) -> Sequence[Slot]:
        """Return the slot of an edge, if there is one."""
        slot = self._slots.get(edge)
        return () if slot is None else (slot,)

    def edges(self, tenant: str, environment: str) -> list[Edge]:
        """Return the edges of one environment."""
        return [edge for edge in self._slots if edge.tenant == tenant and edge.environment == environment]

    def neighbours(self, tenant: str, environment: str, node: str, hops: int) -> frozenset[str]:
        """Return the nodes within `hops` edges in either direction, `node` included."""
        adjacent: dict[str, set[str]] = {}
        for edge in self.edges(tenant, environment):
            adjacent.setdefault(edge.caller, set()).add(edge.callee)
            adjacent.setdefault(edge.callee, set()).add(edge.caller)
        distance = {node: 0}
        todo = deque([node])
        while todo:
            here = todo.popleft()
            if distance[here] < hops:
                for there in adjacent.get(here, set()) - distance.keys():
                    distance[there] = distance[here] + 1
                    todo.append(there)
        return frozenset(distance)

    def forget_before(self, start_s: int) -> None:
        """Drop older cells, and edges without newer ones."""
        for edge, slot in list(self._slots.items()):
            if slot.forget_before(start_s):
                del self._slots[edge]

"""The service graph: edges with the requests that went along them."""

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

    def slot(self, edge: Edge) -> Slot | None:
        """Return where the calls of an edge are counted, or None (and a counted drop) when there is no room for it.

        Whoever remembers it must ask again after `forget_before`.
        """
        slot = self._slots.get(edge)
        if slot is None:
            if len(self._slots) >= self._limits.max_edges:
                self._drops.count("edges")
                return None
            slot = self._slots[edge] = Slot(self._budget)
        return slot

    def slots(self, edge: Edge) -> Sequence[Slot]:
        """Return the slot of an edge, if there is one."""
        slot = self._slots.get(edge)
        return () if slot is None else (slot,)

    def edges(self, tenant: str, environment: str) -> list[Edge]:
        """Return the edges of one environment."""
        return [edge for edge in self._slots if edge.tenant == tenant and edge.environment == environment]

    def forget_before(self, start_s: int) -> bool:
        """Drop older cells and return whether edges went with them: whoever remembers slots must ask again."""
        gone = [edge for edge, slot in self._slots.items() if slot.forget_before(start_s)]
        for edge in gone:
            del self._slots[edge]
        return bool(gone)

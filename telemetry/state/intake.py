"""Intake: what came of one export request."""

from telemetry.state.views import Taken


class Intake:
    """What came of one request: spans taken, rejected by reason, and the stretch of event time of the last resource."""

    __slots__ = ("accepted", "first_ns", "last_ns", "rejected")

    def __init__(self) -> None:
        self.accepted = 0
        self.rejected: dict[str, int] = {}
        self.first_ns = 0
        self.last_ns = 0

    def reject(self, reason: str) -> None:
        """Count one rejected item."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    def see(self, first_ns: int, last_ns: int) -> None:
        """Stretch the event time to items from `first_ns` to `last_ns`."""
        self.first_ns = min(self.first_ns or first_ns, first_ns)
        self.last_ns = max(self.last_ns, last_ns)

    def taken(self) -> Taken:
        """Return how much was taken, and why the rest was rejected."""
        reason = "; ".join(f"{n} {reason}" for reason, n in self.rejected.items())
        return Taken(self.accepted, sum(self.rejected.values()), reason)

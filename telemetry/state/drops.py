"""Counters of what was not kept, by reason."""


class Drops:
    """Counts by reason; the sum over reasons is everything that arrived well-formed and was not kept."""

    __slots__ = ("by_reason",)

    def __init__(self) -> None:
        self.by_reason: dict[str, int] = {}

    def count(self, reason: str, n: int = 1) -> None:
        """Add `n` drops for a reason."""
        if n:
            self.by_reason[reason] = self.by_reason.get(reason, 0) + n

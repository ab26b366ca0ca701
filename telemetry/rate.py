"""How fast a counter has grown lately."""

from collections import deque

_OVER_S = 60.0


class Rate:
    """Growth per second of a counter that is looked at now and then, over the last minute."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def look(self, now_s: float, total: int) -> None:
        """Note the counter at a moment; moments do not go back."""
        looks = self._looks
        looks.append((now_s, total))
        while len(looks) > 2 and looks[1][0] <= now_s - _OVER_S:  # noqa: PLR2004 - one before the minute and the newest
            looks.popleft()

    @property
    def per_s(self) -> float:
        """Growth per second, 0 before there have been two looks."""
        if not self._looks:
            return 0.0
        (began_s, before), (ended_s, after) = self._looks[0], self._looks[-1]
        return (after - before) / (ended_s - began_s) if ended_s > began_s else 0.0

"""Sampling of whole traces: which part is taken now, and which has been taken for long enough to be whole."""

FULL = 256

_MINUTE_S = 60
_SETTLED_AFTER = 2  # minutes


class Share:
    """A part of all traces in 256ths, chosen by the last byte of their id; whatever belongs to one is chosen alike.

    When the part grows, traces that are on their way have lost something already: `settled` is the smallest part of
    this minute and the two before it. Times are event time in Unix seconds.
    """

    __slots__ = ("_lows", "now", "settled")

    def __init__(self) -> None:
        self.now = FULL
        self.settled = FULL
        self._lows: dict[int, int] = {}

    def set(self, part: int, at_s: int) -> None:
        """Take `part` 256ths from now on."""
        self.now = max(0, min(FULL, part))
        minute = at_s // _MINUTE_S
        low = self._lows.get(minute)
        self._lows[minute] = self.now if low is None else min(low, self.now)
        if low is None:
            self._lows = {at: part for at, part in self._lows.items() if at >= minute - _SETTLED_AFTER}
        self.settled = min(self._lows.values())

    def holds(self, trace_id: bytes) -> bool:
        """Return whether what belongs to a trace is taken."""
        return trace_id[15] < self.now

    def held(self, trace_id: bytes) -> bool:
        """Return whether everything that belongs to a trace was taken."""
        return trace_id[15] < self.settled

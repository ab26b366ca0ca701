"""How long to wait before the next try."""

from datetime import timedelta
from typing import Final

_MAX_DOUBLINGS: Final = 20


def backoff(tries: int, *, first_s: float = 2.0, cap_s: float = 300.0) -> timedelta:
    """Return the wait after `tries` tries in a row: `first_s` doubled each time, at most `cap_s` seconds."""
    return timedelta(seconds=min(cap_s, first_s * 2 ** min(max(tries - 1, 0), _MAX_DOUBLINGS)))

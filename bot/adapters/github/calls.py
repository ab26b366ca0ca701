"""Counts HTTP calls to GitHub made in a context, so that they can be attributed to an incident."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Calls:
    """How many HTTP requests were sent, answered or not."""

    count: int = 0


_counters: ContextVar[tuple[Calls, ...]] = ContextVar("github_calls", default=())


@contextmanager
def counting() -> Generator[Calls]:
    """Count the calls made in this context and in tasks started from it; may be nested."""
    calls = Calls()
    token = _counters.set((*_counters.get(), calls))
    try:
        yield calls
    finally:
        _counters.reset(token)


def count_one() -> None:
    """Add one call to every counter of the current context."""
    for calls in _counters.get():
        calls.count += 1

"""Several telemetry files as one stream in the order of their times."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from operator import itemgetter

from telemetry.files.recorded import AHEAD_NS, Recorded

_LOOK_AHEAD = 16
_LOOK_AHEAD_BYTES = 64 * 1024 * 1024


def merged(files: Iterable[Iterable[Recorded]]) -> Iterator[tuple[int, Recorded]]:
    """Yield the messages of all files with their times in Unix nanoseconds, which never go back.

    A message's time is its newest one, because an exporter sends after that. The order within a file is kept: one that
    is older than the message before it (or has no time, or one of a clock that runs ahead) takes the time of that. One
    message a file is in memory, and up to 16, or 64 MiB, where time leaps ahead.
    """
    return heapq.merge(*(_timed(file) for file in files), key=itemgetter(0))


def _timed(file: Iterable[Recorded]) -> Iterator[tuple[int, Recorded]]:
    reached_ns = 0
    messages = iter(file)
    waiting: deque[Recorded] = deque()
    while (message := waiting.popleft() if waiting else next(messages, None)) is not None:
        at_ns = message.newest_ns
        if at_ns - reached_ns > AHEAD_NS:
            _fill(waiting, messages)
            following = [later.newest_ns for later in waiting]
            if 2 * sum(later_ns < at_ns - AHEAD_NS for later_ns in following) > len(following):
                at_ns = 0  # most of what comes next is earlier: only this one is ahead
        reached_ns = max(reached_ns, at_ns)
        yield reached_ns, message


def _fill(waiting: deque[Recorded], messages: Iterator[Recorded]) -> None:
    size = sum(len(message.payload) for message in waiting)
    while len(waiting) < _LOOK_AHEAD and size < _LOOK_AHEAD_BYTES:
        message = next(messages, None)
        if message is None:
            return
        waiting.append(message)
        size += len(message.payload)

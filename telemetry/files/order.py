"""Several telemetry files as one stream in the order of their times."""

import heapq
from collections.abc import Iterable, Iterator
from operator import itemgetter

from telemetry.files.recorded import Recorded


def merged(files: Iterable[Iterable[Recorded]]) -> Iterator[tuple[int, Recorded]]:
    """Yield the messages of all files with their times in Unix nanoseconds, which never go back.

    A message's time is its newest one, because an exporter sends after that. The order within a file is kept: one that
    is older than the message before it (or has no time) takes the time of that. One message a file is in memory.
    """
    return heapq.merge(*(_timed(file) for file in files), key=itemgetter(0))


def _timed(file: Iterable[Recorded]) -> Iterator[tuple[int, Recorded]]:
    reached_ns = 0
    for message in file:
        reached_ns = max(reached_ns, message.newest_ns)
        yield reached_ns, message

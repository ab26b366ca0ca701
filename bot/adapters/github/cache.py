"""A small memory of GET answers by ETag: a 304 costs no rate limit and is always asked for anew."""

from collections import OrderedDict
from dataclasses import dataclass

MAX_ENTRIES = 500
MAX_ENTRY_BYTES = 256 * 1024


@dataclass(frozen=True)
class Cached:
    """One answer: its ETag, its body, and the address of the next page."""

    etag: str
    body: bytes
    next_url: str | None


class EtagCache:
    """The newest answers, least recently used first out. Nothing in it is used without GitHub's 304."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_entry_bytes: int = MAX_ENTRY_BYTES) -> None:
        self._max_entries = max_entries
        self._max_entry_bytes = max_entry_bytes
        self._entries: OrderedDict[str, Cached] = OrderedDict()

    def get(self, key: str) -> Cached | None:
        """Return the answer remembered under `key`."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: str, entry: Cached) -> None:
        """Remember an answer, unless it is too large."""
        self._entries.pop(key, None)
        if len(entry.body) > self._max_entry_bytes:
            return
        self._entries[key] = entry
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

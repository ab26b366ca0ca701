"""Three-way merge of texts by lines, which gives up rather than guess."""

import difflib
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile

# Work that difflib would do at most, as pairs of equal lines; far above any hand-written file.
_MAX_PAIRS = 2_000_000

Hunk = tuple[int, int, tuple[str, ...]]


class TooLargeToMergeError(Exception):
    """The texts are too large or too repetitive to compare."""


def merge3(base: str, ours: str, theirs: str) -> str | None:
    """Return `base` with both sides' changes, or None where they touch the same or neighbouring lines.

    As in diff3 (Khanna, Kunal, Pierce: A Formal Investigation of Diff3, 2007), with one rule stricter: changes
    that only touch are a conflict too, as in git. The same change on both sides is made once.

    Raises:
        TooLargeToMergeError: see there.
    """
    lines = base.splitlines(keepends=True)
    hunks = sorted({*_hunks(lines, ours.splitlines(keepends=True)), *_hunks(lines, theirs.splitlines(keepends=True))})
    merged: list[str] = []
    position = 0
    for index, (start, end, replacement) in enumerate(hunks):
        if index and start <= hunks[index - 1][1]:
            return None
        merged += [*lines[position:start], *replacement]
        position = end
    return "".join([*merged, *lines[position:]])


def _hunks(base: list[str], side: list[str]) -> Iterator[Hunk]:
    """Yield the stretches of `base` that `side` replaces, and by what."""
    head = _common(base, side)
    rest = min(len(base), len(side)) - head
    tail = min(rest, _common(base[::-1], side[::-1]))
    old, new = base[head : len(base) - tail], side[head : len(side) - tail]
    counts = Counter(new)
    if sum(counts[line] for line in old) > _MAX_PAIRS:
        raise TooLargeToMergeError
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield head + old_start, head + old_end, tuple(new[new_start:new_end])


def _common(first: list[str], second: list[str]) -> int:
    """Return how many lines the two begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))

"""`python infra/image/lock.py requirements.lock infra/image/left_out.txt`: the lock file of the image, on stdout."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


class UnknownNameError(ValueError):
    """A distribution that is to be left out is not in the lock file."""


def normalised(name: str) -> str:
    """Returns a distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names_of(listing: str) -> frozenset[str]:
    """Returns the names in a list with one a line and comments after `#`."""
    lines = (line.partition("#")[0].strip() for line in listing.splitlines())
    return frozenset(normalised(line) for line in lines if line)


def _entries(lock: str) -> Iterator[tuple[str, str]]:
    """Yields (name, lines) of each pinned distribution; an entry starts in the first column."""
    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock):
        name = _NAME.match(entry)
        if name:
            yield normalised(name[0]), entry


def without(lock: str, left_out: frozenset[str]) -> str:
    """Returns the lock file without some distributions.

    Raises:
        UnknownNameError: one of them is not in it: the list is out of date.
    """
    entries = list(_entries(lock))
    unknown = left_out - {name for name, _ in entries}
    if unknown:
        raise UnknownNameError(f"not in the lock file: {', '.join(sorted(unknown))}")
    return "".join(entry.rstrip("\n") + "\n" for name, entry in entries if name not in left_out)


def main(lock: str, left_out: str) -> None:
    """Prints the lock file of the image."""
    sys.stdout.write(without(Path(lock).read_text(), names_of(Path(left_out).read_text())))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Paths and globs of a repository, as `.github/sre-space.yml` writes them."""

import re
import unicodedata
from functools import lru_cache

_MAX_LENGTH = 500


def path_problem(path: str) -> str | None:
    """Return why `path` cannot be a file of a repository, in words that follow the path, or None if it can."""
    parts = path.split("/")
    absolute = path.startswith(("/", "~")) or re.match(r"[A-Za-z]:", path) is not None
    invisible = any(unicodedata.category(character)[0] == "C" for character in path)
    problems = (
        (not path, "is empty"),
        (len(path) > _MAX_LENGTH, f"is longer than {_MAX_LENGTH} characters"),
        (invisible, "contains control or invisible characters"),
        ("\\" in path, "contains a backslash; paths are written with `/`"),
        (absolute, "is not relative to the root of the repository"),
        (".." in parts, "leaves the repository with `..`"),
        ("" in parts or "." in parts, "has an empty part or a `.` in it"),
        (".git" in [part.lower() for part in parts], "is inside `.git`"),
    )
    return next((words for found, words in problems if found), None)


def matches(path: str, glob: str) -> bool:
    """Return whether `path` matches `glob`: `**` is any number of folders, `*` and `?` stay within one name."""
    return _pattern(glob).fullmatch(path) is not None


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    """Return `glob` as a regular expression over whole paths."""
    parts = glob.split("/")
    expression = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            expression += ".+" if last else "(?:[^/]+/)*"
            continue
        expression += "".join(_piece(piece) for piece in re.split(r"(\*+|\?)", part))
        expression += "" if last else "/"
    return re.compile(expression, re.DOTALL)


def _piece(piece: str) -> str:
    """Return one part of a name as a regular expression."""
    if piece.startswith("*"):
        return "[^/]*"
    return "[^/]" if piece == "?" else re.escape(piece)

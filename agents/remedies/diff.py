"""Unified diffs of edits, as git writes them."""

import difflib
from collections.abc import Iterable, Mapping

from agents.plan import FileEdit


def unified(edits: Iterable[FileEdit], before: Mapping[str, str]) -> str:
    """Return the diff of `edits`; `before` holds the old content of each file that existed."""
    return "".join(_file(edit.path, before.get(edit.path), edit.content) for edit in edits)


def _file(path: str, old: str | None, new: str | None) -> str:
    lines = difflib.unified_diff(
        _lines(old),
        _lines(new),
        "/dev/null" if old is None else f"a/{path}",
        "/dev/null" if new is None else f"b/{path}",
    )
    body = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    mode = "new file mode 100644\n" if old is None else "deleted file mode 100644\n" if new is None else ""
    return f"diff --git a/{path} b/{path}\n{mode}{body}" if body else ""


def _lines(text: str | None) -> list[str]:
    """Return lines with their ends, split at line feeds only, as git does."""
    parts = (text or "").split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])

"""Undoing one change of one file on top of what has happened since."""

from agents.errors import RemedyError
from agents.markdown import plain
from agents.plan import FileEdit
from agents.ports import RepoFile
from agents.remedies.merge import TooLargeToMergeError, merge3

MAX_CHARACTERS = 1024 * 1024


def undo(path: str, *, before: RepoFile | None, after: RepoFile | None, current: RepoFile | None) -> FileEdit | None:
    """Return the edit that undoes the change `before` → `after` of a file that is now `current`.

    None for a file means that it did not exist. Returns None when there is nothing left to undo.

    Raises:
        RemedyError: later changes are in the way, or the file is not text.
    """
    old, new, now = (_text(path, file) for file in (before, after, current))
    if now == old:
        return None
    blob = current.blob_sha if current else None
    if now == new:
        return FileEdit(path=path, blob_sha=blob, content=old)
    if old is None or new is None or now is None:
        words = "deleted" if now is None else "changed or put back"
        raise RemedyError(f"{plain(path)} was {words} since, so undoing the old change is not clear-cut")
    merged = _merge(path, new, now, old)
    return None if merged == now else FileEdit(path=path, blob_sha=blob, content=merged)


def _merge(path: str, base: str, ours: str, theirs: str) -> str:
    try:
        merged = merge3(base, ours, theirs)
    except TooLargeToMergeError as error:
        raise RemedyError(f"{plain(path)} is too large or repetitive to merge") from error
    if merged is None:
        raise RemedyError(f"later changes of {plain(path)} touch the same lines")
    return merged


def _text(path: str, file: RepoFile | None) -> str | None:
    if file is None:
        return None
    if "\0" in file.content or "\ufffd" in file.content:
        raise RemedyError(f"{plain(path)} is not a text file in UTF-8")
    if len(file.content) > MAX_CHARACTERS:
        raise RemedyError(f"{plain(path)} is larger than {MAX_CHARACTERS // 1024} KiB")
    return file.content

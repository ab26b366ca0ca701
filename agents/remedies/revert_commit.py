"""The remedy `revert_commit`: undo one commit of the default branch, keeping what was built on top of it."""

from agents.errors import RemedyError
from agents.incident import RepoRef
from agents.markdown import plain
from agents.plan import FileEdit, RevertCommit
from agents.ports import Commit, CommitFile, ForgeReader, RepoFile
from agents.remedies.undo import undo

MAX_FILES = 50
_SHORT = 9


async def edits(remedy: RevertCommit, forge: ForgeReader, repo: RepoRef, base_sha: str) -> tuple[FileEdit, ...]:
    """Return the edits that undo `remedy.sha` on top of `base_sha`, by path.

    Raises:
        RemedyError: the commit is not one that can be undone, or later changes are in the way.
    """
    commit = await forge.commit(repo, remedy.sha)
    parent = _parent(remedy, commit)
    comparison = await forge.compare(repo, remedy.sha, base_sha)
    if comparison is None or comparison.status not in {"identical", "ahead"}:
        raise RemedyError(f"commit {plain(remedy.sha[:_SHORT])} is not on the default branch")
    files = commit.files if commit else ()
    if len(files) > MAX_FILES:
        raise RemedyError(f"the commit changed {len(files)} files; SRE-Space reverts at most {MAX_FILES}")
    reader = _Reader(forge, repo)
    found: dict[str, FileEdit] = {}
    for file in files:
        for edit in await _undo_file(file, reader, parent, remedy.sha, base_sha):
            found[edit.path] = edit
    if not found:
        raise RemedyError("nothing of the commit is left to undo")
    return tuple(found[path] for path in sorted(found))


def _parent(remedy: RevertCommit, commit: Commit | None) -> str:
    """Return the SHA of the only parent."""
    short = plain(remedy.sha[:_SHORT])
    if commit is None:
        raise RemedyError(f"commit {short} does not exist in this repository")
    if len(commit.parents) > 1:
        raise RemedyError(f"commit {short} is a merge: which of its sides to keep is for people to say")
    if not commit.parents:
        raise RemedyError(f"commit {short} is the first of the repository")
    if not commit.files:
        raise RemedyError(f"commit {short} changed no files")
    return commit.parents[0]


class _Reader:
    """Files of one repository that must be there, because a commit says that it changed them."""

    def __init__(self, forge: ForgeReader, repo: RepoRef) -> None:
        self._forge = forge
        self._repo = repo

    async def find(self, path: str, ref: str) -> RepoFile | None:
        return await self._forge.file(self._repo, path, ref)

    async def get(self, path: str, ref: str) -> RepoFile:
        found = await self.find(path, ref)
        if found is None:
            raise RemedyError(f"{plain(path)} cannot be read as text at {plain(ref[:_SHORT])}")
        return found


async def _undo_file(file: CommitFile, reader: _Reader, parent: str, sha: str, base: str) -> tuple[FileEdit, ...]:
    """Return the edits that undo what the commit `sha` did to one file; GitHub's words for `status`."""
    match file.status:
        case "unchanged":
            return ()
        case "added" | "copied":
            before, after = None, await reader.get(file.path, sha)
        case "removed":
            before, after = await reader.get(file.path, parent), None
        case "modified" | "changed":
            before, after = await reader.get(file.path, parent), await reader.get(file.path, sha)
        case "renamed":
            return await _undo_rename(file, reader, parent, sha, base)
        case status:
            raise RemedyError(f"{plain(file.path)}: a change of kind {plain(status)} cannot be undone")
    edit = undo(file.path, before=before, after=after, current=await reader.find(file.path, base))
    return (edit,) if edit else ()


async def _undo_rename(file: CommitFile, reader: _Reader, parent: str, sha: str, base: str) -> tuple[FileEdit, ...]:
    """Return the edits that bring a renamed file back to its old name, with the content it should have now."""
    previous = file.previous_path or ""
    before, after = await reader.get(previous, parent), await reader.get(file.path, sha)
    current, there = await reader.find(file.path, base), await reader.find(previous, base)
    if current is None or there is not None:
        raise RemedyError(f"{plain(file.path)} was moved again or its old name {plain(previous)} is in use")
    edit = undo(file.path, before=before, after=after, current=current)
    content = edit.content if edit else current.content
    return (
        FileEdit(path=file.path, blob_sha=current.blob_sha, content=None),
        FileEdit(path=previous, blob_sha=None, content=content),
    )

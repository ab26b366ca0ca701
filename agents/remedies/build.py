"""From a remedy to edits that may be made."""

from typing import assert_never

from agents.errors import RemedyError
from agents.incident import RepoRef
from agents.markdown import plain
from agents.paths import path_problem
from agents.plan import FileEdit, RaiseLimit, Remedy, RevertCommit
from agents.ports import ForgeReader
from agents.remedies import raise_limit, revert_commit
from agents.remedies.protected import protected


async def build(remedy: Remedy, forge: ForgeReader, repo: RepoRef, base_sha: str) -> tuple[FileEdit, ...]:
    """Return the edits of `remedy` on top of `base_sha`, none of them on a protected file.

    Raises:
        RemedyError: it cannot be turned into edits, or into none that may be made.
    """
    match remedy:
        case RaiseLimit():
            edits = await raise_limit.edits(remedy, forge, repo, base_sha)
        case RevertCommit():
            edits = await revert_commit.edits(remedy, forge, repo, base_sha)
        case _:
            assert_never(remedy)
    check(edits)
    return edits


def check(edits: tuple[FileEdit, ...]) -> None:
    """Raise RemedyError when an edit leaves the repository or touches a protected file."""
    for edit in edits:
        problem = path_problem(edit.path)
        if problem:
            raise RemedyError(f"{plain(edit.path)} {problem}")
        glob = protected(edit.path)
        if glob:
            raise RemedyError(f"{plain(edit.path)} is protected ({plain(glob)}): SRE-Space never edits it")

"""The remedy `raise_limit`: set a number in a settings file higher, within its declared maximum."""

from agents.errors import RemedyError
from agents.incident import RepoRef
from agents.markdown import plain
from agents.plan import FileEdit, RaiseLimit
from agents.ports import ForgeReader
from agents.remedies.settings_file import read_number, set_number


async def edits(remedy: RaiseLimit, forge: ForgeReader, repo: RepoRef, base_sha: str) -> tuple[FileEdit, ...]:
    """Return the edit of the one line that holds the limit.

    Raises:
        RemedyError: the file or the number is not as the remedy expects it.
    """
    file = await forge.file(repo, remedy.file, base_sha)
    if file is None:
        raise RemedyError(f"{plain(remedy.file)} does not exist on the default branch")
    place = f"{plain(remedy.path)} in {plain(remedy.file)}"
    current = read_number(file.content, remedy.file, remedy.path)
    if current != remedy.current:
        raise RemedyError(f"{place} is {current} now, not {remedy.current}: somebody changed it meanwhile")
    if not current < remedy.target <= remedy.maximum:
        raise RemedyError(f"{place} cannot go from {current} to {remedy.target}; its maximum is {remedy.maximum}")
    content = set_number(file.content, remedy.file, remedy.path, remedy.target)
    return (FileEdit(path=remedy.file, blob_sha=file.blob_sha, content=content),)

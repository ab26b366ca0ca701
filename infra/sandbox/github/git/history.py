"""Questions about history: logs, ancestry, differences."""

import re
from collections.abc import Iterator

from infra.sandbox.github.git.model import EMPTY_TREE, CommitObject, FileChange
from infra.sandbox.github.git.repository import GitRepository

STATUSES = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}


async def log(repository: GitRepository, revision: str, *options: str, path: str | None = None) -> list[str]:
    """The shas reachable from a revision (or in a range), newest first."""
    tail = ["--", path] if path else ["--"]
    return (await repository.run("rev-list", *options, revision, *tail)).text.split()


async def commits(repository: GitRepository, shas: list[str]) -> list[CommitObject]:
    """The commits of these shas, in the same order."""
    if not shas:
        return []
    result = await repository.run("cat-file", "--batch", stdin="\n".join(shas).encode() + b"\n")
    found: list[CommitObject] = []
    rest = result.stdout
    for sha in shas:
        header, _, rest = rest.partition(b"\n")
        size = int(header.split()[2])
        found.append(CommitObject.parse(sha, rest[:size]))
        rest = rest[size + 1 :]
    return found


async def merge_base(repository: GitRepository, one: str, other: str) -> str | None:
    """The best common ancestor, or None for unrelated histories."""
    result = await repository.run("merge-base", one, other, ok=(0, 1))
    return result.text.split("\n")[0] or None


async def is_ancestor(repository: GitRepository, old: str, new: str) -> bool:
    """Whether `new` contains `old`."""
    return (await repository.run("merge-base", "--is-ancestor", old, new, ok=(0, 1))).returncode == 0


async def changes(repository: GitRepository, old: str | None, new: str) -> list[FileChange]:
    """What changed between two commits (or since nothing), one entry for each file."""
    common = ["diff-tree", "-r", "-M", "--full-index", "--no-ext-diff"]
    before = old or EMPTY_TREE
    listing = await repository.run(*common, "-z", "--raw", "--numstat", before, new)
    patch = await repository.run(*common, "-p", before, new)
    return list(_join(listing.stdout.decode("utf-8", "replace"), patch.stdout.decode("utf-8", "replace")))


async def diff(repository: GitRepository, old: str | None, new: str) -> bytes:
    """The unified diff between two commits (or since nothing)."""
    command = ["diff-tree", "-r", "-M", "-p", "--no-ext-diff", old or EMPTY_TREE, new]
    return (await repository.run(*command)).stdout


def _join(listing: str, patch: str) -> Iterator[FileChange]:
    """The two outputs of diff-tree put together; both list the files in the same order."""
    patches = re.split(r"^(?=diff --git )", patch, flags=re.MULTILINE)[1:]
    tokens = iter(listing.split("\0")[:-1])
    raw: list[tuple[str, str, str, str | None]] = []
    counts: list[tuple[int, int]] = []
    for token in tokens:
        if token.startswith(":"):
            old_sha, new_sha, letter = token.split()[2:5]
            path, previous = next(tokens), None
            if letter[0] in "RC":
                previous, path = path, next(tokens)
            sha = old_sha if letter == "D" else new_sha
            raw.append((sha, STATUSES.get(letter[0], "changed"), path, previous))
        else:
            added, removed, path = token.split("\t")
            if not path:
                next(tokens)
                next(tokens)
            counts.append((0 if added == "-" else int(added), 0 if removed == "-" else int(removed)))
    for (sha, status, path, previous), (added, removed), text in zip(raw, counts, patches, strict=True):
        at = text.find("\n@@")
        hunks = text[at + 1 :].removesuffix("\n") if at >= 0 else None
        yield FileChange(sha, path, status, added, removed, previous, hunks)

"""A git repository in memory: trees, commits, branches, comparisons and merges, with real blob SHAs."""

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from agents.ports import Commit, CommitFile

Tree = Mapping[str, str]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class MergeConflictError(Exception):
    """Both sides changed the same file."""


def blob_sha(content: str) -> str:
    """Return the SHA-1 that git gives a blob with this content."""
    data = content.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def changes(before: Tree, after: Tree) -> tuple[CommitFile, ...]:
    """Return what differs between two trees, by path; a file that only moved is `renamed`."""
    gone = {path: text for path, text in before.items() if path not in after}
    found: list[CommitFile] = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        moved = next((name for name, text in gone.items() if old is None and text == new), None)
        if moved:
            del gone[moved]
            found.append(CommitFile(path=path, status="renamed", previous_path=moved))
            continue
        status = "added" if old is None else "removed" if new is None else "modified"
        found.append(CommitFile(path=path, status=status, patch=_patch(old or "", new or "")))
    sources = {change.previous_path for change in found}
    return tuple(change for change in found if change.path not in sources)


def _patch(old: str, new: str) -> str:
    if "\0" in old or "\0" in new:
        return ""
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True))
    return "".join(list(lines)[2:])


@dataclass
class Repository:
    """Commits by SHA, their whole trees, and branches. SHAs depend on content, parents, time and message only."""

    commits: dict[str, Commit] = field(default_factory=dict[str, Commit])
    trees: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    branches: dict[str, str] = field(default_factory=dict[str, str])

    def resolve(self, ref: str) -> str | None:
        """Return the SHA of a branch or (abbreviated) commit."""
        if ref in self.branches:
            return self.branches[ref]
        return next((sha for sha in self.commits if len(ref) > 3 and sha.startswith(ref)), None)  # noqa: PLR2004

    def commit(
        self,
        files: Mapping[str, str | None],
        *,
        message: str,
        author: str = "dev",
        at: datetime = EPOCH,
        branch: str = "main",
        parents: tuple[str, ...] | None = None,
    ) -> str:
        """Commit `files` (None deletes) on `branch`, on top of its head unless `parents` are given; return the SHA."""
        if parents is None:
            parents = (self.branches[branch],) if branch in self.branches else ()
        before = self.trees[parents[0]] if parents else {}
        merged = {**before, **files}
        tree = {path: text for path, text in merged.items() if text is not None}
        identity = repr((sorted(tree.items()), parents, message, author, at.isoformat()))
        sha = hashlib.sha1(identity.encode(), usedforsecurity=False).hexdigest()
        self.trees[sha] = tree
        self.commits[sha] = Commit(
            sha=sha,
            message=message,
            author=author,
            committed_at=at,
            parents=parents,
            files=changes(before, tree),
            url=f"https://github.test/commit/{sha}",
        )
        self.branches[branch] = sha
        return sha

    def history(self, sha: str) -> list[Commit]:
        """Return the commits reachable from `sha`, children before parents."""
        seen: dict[str, None] = {}

        def visit(name: str) -> None:
            if name not in seen:
                for parent in self.commits[name].parents:
                    visit(parent)
                seen[name] = None

        visit(sha)
        return [self.commits[name] for name in reversed(seen)]

    def merge_base(self, base: str, head: str) -> str | None:
        """Return the newest commit that both reach."""
        reachable = {commit.sha for commit in self.history(base)}
        return next((commit.sha for commit in self.history(head) if commit.sha in reachable), None)

    def status(self, base: str, head: str) -> Literal["identical", "ahead", "behind", "diverged"]:
        """Return how `head` stands to `base`, in GitHub's words."""
        if base == head:
            return "identical"
        common = self.merge_base(base, head)
        if common == base:
            return "ahead"
        return "behind" if common == head else "diverged"

    def merge(self, base: str, head: str, *, message: str, author: str, at: datetime) -> str:
        """Merge the commit `head` into the branch `base`; return the merge commit's SHA.

        Raises:
            MergeConflictError: a file was changed on both sides.
        """
        tip = self.branches[base]
        common = self.merge_base(tip, head)
        origin = self.trees[common] if common else {}
        ours, theirs = self.trees[tip], self.trees[head]
        files: dict[str, str | None] = {}
        for path in {*origin, *theirs}:
            if theirs.get(path) == origin.get(path) or theirs.get(path) == ours.get(path):
                continue
            if ours.get(path) != origin.get(path):
                raise MergeConflictError(path)
            files[path] = theirs.get(path)
        return self.commit(files, message=message, author=author, at=at, branch=base, parents=(tip, head))

"""A clone of the managed repository with one worktree for each revision that runs."""

from pathlib import Path

from infra.sandbox.git import git

_SHORT_SHA_CHARS = 12


class Checkout:
    """Follows one branch of a repository."""

    def __init__(self, clone_url: str, branch: str, data: Path) -> None:
        self._url = clone_url
        self._branch = branch
        self._repository = data / "repository"
        self._worktrees = data / "worktrees"

    async def prepare(self) -> None:
        """Clones the repository; a clone that a former run left is used again."""
        if not (self._repository / ".git").exists():
            self._worktrees.mkdir(parents=True, exist_ok=True)
            await git("clone", "--quiet", "--no-checkout", self._url, str(self._repository))
        await git("remote", "set-url", "origin", self._url, cwd=self._repository)
        await git("worktree", "prune", cwd=self._repository)

    async def latest(self) -> str:
        """Returns the full SHA of the branch, fetched if it is new."""
        reference = f"refs/heads/{self._branch}"
        line = await git("ls-remote", "--exit-code", "origin", reference, cwd=self._repository)
        revision = line.split()[0]
        if not await self._has(revision):
            await git("fetch", "--quiet", "origin", f"+{reference}:refs/remotes/origin/{self._branch}",
                      cwd=self._repository)  # fmt: skip
        return revision

    async def files_of(self, revision: str) -> Path:
        """Returns the folder with the files of a revision."""
        folder = self._worktrees / revision[:_SHORT_SHA_CHARS]
        if not folder.exists():
            await git("worktree", "add", "--quiet", "--detach", str(folder), revision, cwd=self._repository)
        return folder

    async def changed_paths(self, old: str, new: str) -> tuple[str, ...]:
        """Returns the files that differ between two revisions."""
        listed = await git("diff", "--name-only", "-z", "--no-renames", old, new, cwd=self._repository)
        return tuple(path for path in listed.split("\0") if path)

    async def version_of(self, revision: str) -> str:
        """Returns the tag on a revision, else its short SHA."""
        tags = (await git("tag", "--points-at", revision, cwd=self._repository)).splitlines()
        return tags[0] if tags else revision[:_SHORT_SHA_CHARS]

    async def drop_all_but(self, revisions: set[str]) -> None:
        """Removes worktrees that no service runs from."""
        kept = {revision[:_SHORT_SHA_CHARS] for revision in revisions}
        for folder in self._worktrees.iterdir():
            if folder.name not in kept:
                await git("worktree", "remove", "--force", str(folder), cwd=self._repository)

    async def _has(self, revision: str) -> bool:
        found = await git("rev-list", "--ignore-missing", "--max-count=1", revision, cwd=self._repository)
        return bool(found)

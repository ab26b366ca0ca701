"""Reads of GitHub, as the models of the port."""

import base64
from urllib.parse import quote

from agents.errors import ForgeRefusedError
from agents.incident import RepoRef
from agents.ports import CommentState, Commit, Comparison, IssueState, Permission, PullState, RepoFile
from bot.adapters.github import convert, payloads, pull_payloads
from bot.adapters.github.client import Client

NOT_A_SHA = 422
MAX_PULL_PAGES = 3


def root(repo: RepoRef) -> str:
    """Return the API path of a repository."""
    return f"/repos/{quote(repo.owner)}/{quote(repo.name)}"


class Reader:
    """The reading half of the port. Raises ForgeUnavailableError and ForgeRefusedError; None means 404."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def file(self, repo: RepoRef, path: str, ref: str) -> RepoFile | None:
        """Return a text file at `ref`; a folder, a link or a submodule is None.

        Raises:
            ForgeRefusedError: the file is not UTF-8.
        """
        where = f"{root(repo)}/contents/{quote(path)}"
        answer = await self._client.find(repo.installation_id, where, payloads.FileOrFolder, {"ref": ref})
        found = answer.root if answer else None
        if not isinstance(found, payloads.Contents) or found.type != "file":
            return None
        encoded = found.content
        if found.encoding != "base64":
            blob = await self._client.get(repo.installation_id, f"{root(repo)}/git/blobs/{found.sha}", payloads.Blob)
            encoded = blob.content
        try:
            content = base64.b64decode(encoded).decode()
        except UnicodeDecodeError as error:
            raise ForgeRefusedError(NOT_A_SHA, f"{path} is not UTF-8 text") from error
        return RepoFile(path=found.path, blob_sha=found.sha, content=content)

    async def default_branch(self, repo: RepoRef) -> tuple[str, str]:
        """Return the default branch's name and head SHA."""
        name = (await self.repository(repo)).default_branch
        where = f"{root(repo)}/git/ref/heads/{quote(name)}"
        ref = await self._client.get(repo.installation_id, where, payloads.Ref)
        return name, ref.object.sha

    async def repository(self, repo: RepoRef) -> payloads.Repository:
        """Return the repository's own settings."""
        return await self._client.get(repo.installation_id, root(repo), payloads.Repository)

    async def commits(self, repo: RepoRef, *, ref: str, path: str | None = None, limit: int = 30) -> tuple[Commit, ...]:
        """Return at most 100 commits reachable from `ref`, newest first, without their files."""
        params: dict[str, str | int] = {"sha": ref, "per_page": min(limit, 100)}
        if path is not None:
            params["path"] = path
        where = f"{root(repo)}/commits"
        found = await self._client.get(repo.installation_id, where, tuple[payloads.Commit, ...], params)
        return tuple(convert.commit(item) for item in found)

    async def commit(self, repo: RepoRef, sha: str) -> Commit | None:
        """Return a commit with its files; None also for what is no SHA of this repository."""
        where = f"{root(repo)}/commits/{quote(sha, safe='')}"
        try:
            found = await self._client.find(repo.installation_id, where, payloads.Commit)
        except ForgeRefusedError as error:
            if error.status == NOT_A_SHA:
                return None
            raise
        return convert.commit(found) if found else None

    async def compare(self, repo: RepoRef, base: str, head: str) -> Comparison | None:
        """Return `base...head`, None when either is unknown."""
        where = f"{root(repo)}/compare/{quote(base, safe='')}...{quote(head, safe='')}"
        found = await self._client.find(repo.installation_id, where, payloads.Comparison)
        return convert.comparison(found) if found else None

    async def pull(self, repo: RepoRef, number: int) -> PullState | None:
        """Return a pull request with the logins behind its commits."""
        found = await self._client.find(repo.installation_id, f"{root(repo)}/pulls/{number}", pull_payloads.Pull)
        if found is None:
            return None
        where = f"{root(repo)}/pulls/{number}/commits"
        pages = self._client.pages(repo.installation_id, where, tuple[payloads.Commit, ...], max_pages=MAX_PULL_PAGES)
        commits = [item async for page in pages for item in page]
        return convert.pull(found, commits)

    async def permission(self, repo: RepoRef, login: str) -> Permission:
        """Return what `login` may do now; `none` for somebody who is no collaborator."""
        where = f"{root(repo)}/collaborators/{quote(login, safe='')}/permission"
        found = await self._client.find(repo.installation_id, where, payloads.Permission)
        return convert.permission(found) if found else "none"

    async def comment(self, repo: RepoRef, comment_id: int) -> CommentState | None:
        """Return a comment as it is now."""
        where = f"{root(repo)}/issues/comments/{comment_id}"
        found = await self._client.find(repo.installation_id, where, payloads.Comment)
        return convert.comment(found) if found else None

    async def issue(self, repo: RepoRef, number: int) -> IssueState | None:
        """Return an issue (or a pull request, as an issue) as it is now."""
        found = await self._client.find(repo.installation_id, f"{root(repo)}/issues/{number}", payloads.Issue)
        return convert.issue(found) if found else None

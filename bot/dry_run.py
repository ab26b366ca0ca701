"""A Forge that reads for real and writes nothing, to see what would be done."""

from typing import Any

from agents.incident import RepoRef
from agents.plan import Plan
from agents.ports import (
    CommentState,
    Commit,
    Comparison,
    ForgeReader,
    IssueState,
    Permission,
    PullState,
    RepoFile,
)
from agents.writes import Done, Reaction, Refused, Result
from telemetry.model import Frozen

NOWHERE = "dry-run:nothing-was-written"
NO_SHA = "0" * 40


class Recorded(Frozen):
    """A write that was not carried out: the method of the port and its arguments."""

    method: str
    repo: str
    arguments: dict[str, Any]


class DryRunForge:
    """The port over another one's reads; `recorded` is what would have been written, in order.

    Writes answer with number 0, so that an incident goes on up to its approval. Nothing is ever merged.
    """

    def __init__(self, reads: ForgeReader) -> None:
        self._reads = reads
        self.recorded: list[Recorded] = []

    def _record(self, method: str, repo: RepoRef, **arguments: object) -> Done:
        self.recorded.append(Recorded(method=method, repo=repo.full_name, arguments=arguments))
        return Done(number=0, url=NOWHERE)

    async def file(self, repo: RepoRef, path: str, ref: str) -> RepoFile | None:
        """Read."""
        return await self._reads.file(repo, path, ref)

    async def default_branch(self, repo: RepoRef) -> tuple[str, str]:
        """Read."""
        return await self._reads.default_branch(repo)

    async def commits(self, repo: RepoRef, *, ref: str, path: str | None = None, limit: int = 30) -> tuple[Commit, ...]:
        """Read."""
        return await self._reads.commits(repo, ref=ref, path=path, limit=limit)

    async def commit(self, repo: RepoRef, sha: str) -> Commit | None:
        """Read."""
        return await self._reads.commit(repo, sha)

    async def compare(self, repo: RepoRef, base: str, head: str) -> Comparison | None:
        """Read."""
        return await self._reads.compare(repo, base, head)

    async def pull(self, repo: RepoRef, number: int) -> PullState | None:
        """Read."""
        return await self._reads.pull(repo, number)

    async def permission(self, repo: RepoRef, login: str) -> Permission:
        """Read."""
        return await self._reads.permission(repo, login)

    async def comment(self, repo: RepoRef, comment_id: int) -> CommentState | None:
        """Read."""
        return await self._reads.comment(repo, comment_id)

    async def issue(self, repo: RepoRef, number: int) -> IssueState | None:
        """Read."""
        return await self._reads.issue(repo, number)

    async def open_issue(self, repo: RepoRef, *, title: str, body: str, labels: tuple[str, ...], marker: str) -> Result:
        """Record."""
        return self._record("open_issue", repo, title=title, body=body, labels=labels, marker=marker)

    async def upsert_comment(
        self, repo: RepoRef, issue: int, *, body: str, marker: str, comment_id: int | None
    ) -> Result:
        """Record."""
        return self._record("upsert_comment", repo, issue=issue, body=body, marker=marker, comment_id=comment_id)

    async def react(self, repo: RepoRef, comment_id: int, reaction: Reaction) -> Result:
        """Record."""
        return self._record("react", repo, comment_id=comment_id, reaction=reaction)

    async def propose_change(self, repo: RepoRef, plan: Plan, *, message: str, body: str) -> Result:
        """Record; the head of a pull request that does not exist is the null SHA."""
        done = self._record("propose_change", repo, plan=plan, message=message, body=body)
        return done.model_copy(update={"sha": NO_SHA})

    async def complete_check(
        self, repo: RepoRef, head_sha: str, *, conclusion: str, title: str, summary: str
    ) -> Result:
        """Record."""
        return self._record(
            "complete_check", repo, head_sha=head_sha, conclusion=conclusion, title=title, summary=summary
        )

    async def merge(self, repo: RepoRef, number: int, *, head_sha: str, title: str) -> Result:
        """Record, and refuse: what was not merged must not be verified."""
        self._record("merge", repo, number=number, head_sha=head_sha, title=title)
        return Refused(reason="this is a dry run, nothing is merged.")

    async def close_pull(self, repo: RepoRef, number: int, *, branch: str) -> Result:
        """Record."""
        return self._record("close_pull", repo, number=number, branch=branch)

    async def label_issue(self, repo: RepoRef, issue: int, *, add: tuple[str, ...], remove: tuple[str, ...]) -> Result:
        """Record."""
        return self._record("label_issue", repo, issue=issue, add=add, remove=remove)

    async def close_issue(self, repo: RepoRef, issue: int, *, completed: bool) -> Result:
        """Record."""
        return self._record("close_issue", repo, issue=issue, completed=completed)

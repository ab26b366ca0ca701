"""What the agents need from outside. The shell implements these; fakes are in `agents.testing`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal, Protocol

from pydantic import AwareDatetime

from agents.incident import Incident, Recalled, RepoRef
from agents.plan import Plan, PullRequestRef, Remedy
from agents.writes import Reaction, Result
from telemetry.model import Frozen, GroupStatus, RevisionSeen, SeriesKey, Signal, SliReport

Step = Callable[[Incident], Awaitable[Incident]]
Now = Callable[[], datetime]

Permission = Literal["admin", "maintain", "write", "triage", "read", "none"]


class RepoFile(Frozen):
    """A text file at one commit."""

    path: str
    blob_sha: str
    content: str


class CommitFile(Frozen):
    """One file that a commit changed. `patch` is a unified diff, empty when GitHub leaves it out."""

    path: str
    status: str
    patch: str = ""
    previous_path: str | None = None


class Commit(Frozen):
    """A commit; `files` is empty in listings. `parents` are SHAs, first parent first."""

    sha: str
    message: str
    author: str
    committed_at: AwareDatetime
    parents: tuple[str, ...] = ()
    files: tuple[CommitFile, ...] = ()
    url: str = ""


class Comparison(Frozen):
    """`base...head` as GitHub compares it. Commits oldest first, at most 250."""

    status: Literal["identical", "ahead", "behind", "diverged"]
    commits: tuple[Commit, ...] = ()
    files: tuple[CommitFile, ...] = ()


class PullState(Frozen):
    """A pull request as it is now. `pushers` are the logins that authored or committed on its branch."""

    number: int
    url: str
    open: bool
    merged: bool
    merge_sha: str | None = None
    head_sha: str
    head_ref: str
    base_ref: str
    base_sha: str
    opener: str
    pushers: tuple[str, ...] = ()
    mergeable_state: str = "unknown"


class CommentState(Frozen):
    """A comment as it is now."""

    id: int
    body: str
    author: str
    author_id: int
    author_type: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    by_app: bool = False
    url: str = ""


class IssueState(Frozen):
    """An issue as it is now."""

    number: int
    title: str
    body: str
    open: bool
    author: str
    author_type: str
    labels: tuple[str, ...] = ()
    url: str = ""


class ForgeReader(Protocol):
    """Reads of GitHub. All raise ForgeUnavailableError or ForgeRefusedError; None means 404."""

    async def file(self, repo: RepoRef, path: str, ref: str) -> RepoFile | None: ...

    async def default_branch(self, repo: RepoRef) -> tuple[str, str]:
        """Return the default branch's name and head SHA."""
        ...

    async def commits(self, repo: RepoRef, *, ref: str, path: str | None = None, limit: int = 30) -> tuple[Commit, ...]:
        """Return commits reachable from `ref`, newest first, without their files."""
        ...

    async def commit(self, repo: RepoRef, sha: str) -> Commit | None: ...

    async def compare(self, repo: RepoRef, base: str, head: str) -> Comparison | None: ...

    async def pull(self, repo: RepoRef, number: int) -> PullState | None: ...

    async def permission(self, repo: RepoRef, login: str) -> Permission: ...

    async def comment(self, repo: RepoRef, comment_id: int) -> CommentState | None: ...

    async def issue(self, repo: RepoRef, number: int) -> IssueState | None: ...


class ForgeWriter(Protocol):
    """Writes to GitHub, each safe to repeat: what was made before is looked up by marker or branch first."""

    async def open_issue(
        self, repo: RepoRef, *, title: str, body: str, labels: tuple[str, ...], marker: str
    ) -> Result: ...

    async def upsert_comment(
        self, repo: RepoRef, issue: int, *, body: str, marker: str, comment_id: int | None
    ) -> Result:
        """Edit the comment with that id, else the one that holds our marker, else post it. Result: its id."""
        ...

    async def react(self, repo: RepoRef, comment_id: int, reaction: Reaction) -> Result: ...

    async def propose_change(self, repo: RepoRef, plan: Plan, *, message: str, body: str) -> Result:
        """Make branch at `base_sha`, one commit and one pull request. Result: number, url, head sha."""
        ...

    async def complete_check(
        self, repo: RepoRef, head_sha: str, *, conclusion: str, title: str, summary: str
    ) -> Result: ...

    async def merge(self, repo: RepoRef, number: int, *, head_sha: str, title: str) -> Result:
        """Merge if the head is still `head_sha`. Result: the merge commit's SHA, also if merged before."""
        ...

    async def close_pull(self, repo: RepoRef, number: int, *, branch: str) -> Result: ...

    async def label_issue(
        self, repo: RepoRef, issue: int, *, add: tuple[str, ...], remove: tuple[str, ...]
    ) -> Result: ...

    async def close_issue(self, repo: RepoRef, issue: int, *, completed: bool) -> Result: ...


class Forge(ForgeReader, ForgeWriter, Protocol):
    """GitHub."""

    async def resolve(self, full_name: str) -> RepoRef:
        """Return the repository `owner/name`. Raises ForgeRefusedError when we cannot reach it."""
        ...


class Telemetry(Protocol):
    """Scout's query API. All raise ScoutUnavailableError."""

    async def group(self, group_id: str) -> GroupStatus | None: ...

    async def signals(self, tenant: str, environment: str | None, service: str) -> tuple[Signal, ...]:
        """Return the latest signal of every open group that has an anomaly on `service`; None: in any environment."""
        ...

    async def sli(
        self, key: SeriesKey, *, since: datetime, window_s: int, min_requests: int, revision: str | None
    ) -> SliReport: ...

    async def versions(self, tenant: str, environment: str, service: str) -> tuple[RevisionSeen, ...]: ...


class Case(Frozen):
    """A verified incident as Curator remembers it."""

    id: str
    incident_id: str
    tenant: str
    installation_id: int
    repo: str
    issue: int | None
    service: str
    kind: str
    signature: str
    text: str
    remedy: Remedy
    summary: str
    verified_at: AwareDatetime
    frozen: bool = False


class Memory(Protocol):
    """Verified incidents, partitioned by installation and tenant."""

    async def exact(self, installation_id: int, tenant: str, signature: str) -> Case | None:
        """Return the newest case with this signature that is not frozen."""
        ...

    async def nearest(
        self, installation_id: int, tenant: str, *, service: str, kind: str, text: str
    ) -> tuple[Case, float] | None:
        """Return the nearest of the last 100 unfrozen cases within the threshold, and its cosine distance."""
        ...

    async def remember(self, case: Case) -> None: ...

    async def freeze(self, installation_id: int, case_id: str) -> None: ...

    async def history(self, installation_id: int, tenant: str, signature: str, since: datetime) -> tuple[Case, ...]: ...


__all__ = [
    "Case",
    "CommentState",
    "Commit",
    "CommitFile",
    "Comparison",
    "Forge",
    "ForgeReader",
    "ForgeWriter",
    "IssueState",
    "Memory",
    "Now",
    "Permission",
    "PullRequestRef",
    "PullState",
    "Recalled",
    "RepoFile",
    "Step",
    "Telemetry",
]

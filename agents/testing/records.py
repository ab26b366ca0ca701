"""What the fake of GitHub remembers: one repository with its issues, pull requests, people and checks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

from agents.incident import RepoRef
from agents.ports import CommentState, IssueState, Permission, PullState
from agents.testing import webhooks
from agents.testing.repository import EPOCH, Repository
from agents.testing.webhooks import Hook, Json
from agents.writes import Reaction

APP = "sre-space[bot]"
MOST_FIRST: tuple[Permission, ...] = get_args(Permission)
REPO = RepoRef(id=4711, owner="acme", name="shop", installation_id=99)


@dataclass
class Pull:
    """A pull request as stored."""

    number: int
    head_ref: str
    base_ref: str
    opener: str
    title: str
    body: str
    open: bool = True
    merge_sha: str | None = None
    last_head: str = ""
    pushers: list[str] = field(default_factory=list[str])


@dataclass
class Review:
    """A review as stored; `state` by GitHub's names: approved, changes_requested, commented, dismissed."""

    id: int
    number: int
    login: str
    state: str
    commit_id: str


@dataclass
class Check:
    """A check run as stored."""

    conclusion: str
    title: str
    summary: str


@dataclass
class Records:
    """The records of one repository. Their clock stands still unless `tick` moves it."""

    full_name: str = REPO.full_name
    default_branch: str = "main"
    git: Repository = field(default_factory=Repository)
    issues: dict[int, IssueState] = field(default_factory=dict[int, IssueState])
    pulls: dict[int, Pull] = field(default_factory=dict[int, Pull])
    comments: dict[int, tuple[int, CommentState]] = field(default_factory=dict[int, tuple[int, CommentState]])
    reactions: dict[int, list[Reaction]] = field(default_factory=dict[int, list[Reaction]])
    checks: dict[str, Check] = field(default_factory=dict[str, Check])
    permissions: dict[str, Permission] = field(default_factory=dict[str, Permission])
    user_ids: dict[str, int] = field(default_factory=dict[str, int])
    closed_as: dict[int, str] = field(default_factory=dict[int, str])
    reviews: dict[int, Review] = field(default_factory=dict[int, Review])
    opened_at: dict[int, datetime] = field(default_factory=dict[int, datetime])
    updated_at: dict[int, datetime] = field(default_factory=dict[int, datetime])
    hooks: list[Hook] = field(default_factory=list[Hook])
    merge_blocked: str = ""
    clock: datetime = EPOCH

    @property
    def ref(self) -> RepoRef:
        """Return the repository as the agents know it."""
        return REPO

    def now(self) -> datetime:
        """Return the time of this world."""
        return self.clock

    def stamp(self) -> datetime:
        """Return the time as GitHub notes it: in whole seconds."""
        return self.now().replace(microsecond=0)

    def tick(self, delta: timedelta) -> None:
        """Let time pass."""
        self.clock += delta

    def user_id(self, login: str) -> int:
        """Return a stable id of a person."""
        return self.user_ids.setdefault(login, 1000 + len(self.user_ids))

    def grant(self, login: str, permission: Permission) -> None:
        """Give a person a permission on the repository (without: read)."""
        self.permissions[login] = permission

    def may(self, login: str, needed: Permission) -> bool:
        """Return whether a person has that permission or more."""
        return MOST_FIRST.index(self.permissions.get(login, "read")) <= MOST_FIRST.index(needed)

    def next_number(self) -> int:
        """Return the number of the next issue or pull request."""
        return 1 + max((*self.issues, *self.pulls), default=0)

    def head(self, pull: Pull) -> str:
        """Return the head of a pull request, its last one when the branch is gone."""
        return self.git.branches.get(pull.head_ref, pull.last_head)

    def account(self, login: str) -> Json:
        """Return somebody as webhooks show them."""
        return webhooks.account(login, self.user_id(login))

    def pull_state(self, pull: Pull) -> PullState:
        """Return a pull request as GitHub would answer now."""
        base = self.git.branches[pull.base_ref]
        head = self.head(pull)
        known = {commit.sha for commit in self.git.history(base)}
        authors = [commit.author for commit in self.git.history(head) if commit.sha not in known] if head else []
        return PullState(
            number=pull.number,
            url=f"https://github.test/{self.full_name}/pull/{pull.number}",
            open=pull.open,
            merged=pull.merge_sha is not None,
            merge_sha=pull.merge_sha,
            head_sha=head,
            head_ref=pull.head_ref,
            base_ref=pull.base_ref,
            base_sha=base,
            opener=pull.opener,
            pushers=tuple(dict.fromkeys((*authors, *pull.pushers))),
            mergeable_state="blocked" if self.merge_blocked else "clean",
        )

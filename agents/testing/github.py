"""What FakeForge stands on: people, issues, comments, pull requests and checks of one repository in memory."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.incident import RepoRef
from agents.ports import CommentState, IssueState, Permission, PullState
from agents.testing.repository import EPOCH, Repository
from agents.writes import Reaction

APP = "sre-space[bot]"
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
class Check:
    """A check run as stored."""

    conclusion: str
    title: str
    summary: str


@dataclass
class GitHub:
    """One repository with everything around it. Its clock stands still unless `tick` moves it."""

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
    merge_blocked: str = ""
    clock: datetime = EPOCH

    @property
    def ref(self) -> RepoRef:
        """Return the repository as the agents know it."""
        return REPO

    def now(self) -> datetime:
        """Return the time of this world."""
        return self.clock

    def tick(self, delta: timedelta) -> None:
        """Let time pass."""
        self.clock += delta

    def user_id(self, login: str) -> int:
        """Return a stable id of a person."""
        return self.user_ids.setdefault(login, 1000 + len(self.user_ids))

    def grant(self, login: str, permission: Permission) -> None:
        """Give a person a permission on the repository (without: read)."""
        self.permissions[login] = permission

    def _number(self) -> int:
        return 1 + max((*self.issues, *self.pulls), default=0)

    def opens(
        self, login: str, title: str, body: str = "", *, labels: tuple[str, ...] = (), author_type: str = "User"
    ) -> IssueState:
        """Open an issue as `login`."""
        number = self._number()
        self.issues[number] = IssueState(
            number=number,
            title=title,
            body=body,
            open=True,
            author=login,
            author_type=author_type,
            labels=labels,
            url=f"https://github.test/{self.full_name}/issues/{number}",
        )
        return self.issues[number]

    def says(
        self, issue: int, login: str, body: str, *, author_type: str = "User", by_app: bool = False
    ) -> CommentState:
        """Comment on an issue or pull request as `login`."""
        comment_id = 9000 + len(self.comments)
        posted = CommentState(
            id=comment_id,
            body=body,
            author=login,
            author_id=self.user_id(login),
            author_type=author_type,
            created_at=self.now(),
            updated_at=self.now(),
            by_app=by_app,
            url=f"https://github.test/{self.full_name}/issues/{issue}#issuecomment-{comment_id}",
        )
        self.comments[comment_id] = (issue, posted)
        return posted

    def edits(self, comment_id: int, body: str) -> CommentState:
        """Edit a comment; on GitHub its `updated_at` moves."""
        issue, old = self.comments[comment_id]
        later = max(self.now(), old.updated_at + timedelta(seconds=1))
        edited = old.model_copy(update={"body": body, "updated_at": later})
        self.comments[comment_id] = (issue, edited)
        return edited

    def pulls_in(self, head_ref: str, base_ref: str, login: str, *, title: str, body: str = "") -> Pull:
        """Open a pull request as `login`."""
        number = self._number()
        self.pulls[number] = Pull(number, head_ref, base_ref, login, title, body)
        return self.pulls[number]

    def pushes(self, branch: str, files: dict[str, str | None], *, login: str, message: str = "More") -> str:
        """Push one commit on a branch as `login`; return its SHA."""
        for pull in self.pulls.values():
            if pull.head_ref == branch and login not in pull.pushers:
                pull.pushers.append(login)
        return self.git.commit(files, message=message, author=login, at=self.now(), branch=branch)

    def pull_state(self, pull: Pull) -> PullState:
        """Return a pull request as GitHub would answer now."""
        base = self.git.branches[pull.base_ref]
        head = self.git.branches.get(pull.head_ref, pull.last_head)
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

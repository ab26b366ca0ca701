"""Webhooks and signals, reduced to the fields that are used."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agents.incident import RepoRef
from bot.db.rows import InboxRow
from telemetry.errors import DecodeError
from telemetry.model import Signal


class Slim(BaseModel):
    """Base of everything that GitHub sends: unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Account(Slim):
    """Who did something. `type` is `User`, `Bot` or `Organization`."""

    login: str
    id: int
    type: str = "User"


GHOST = Account(login="ghost", id=0)


class Label(Slim):
    """A label."""

    name: str


class Repository(Slim):
    """The repository of an event."""

    id: int
    name: str
    owner: Account


class Installation(Slim):
    """The installation through which an event came."""

    id: int


class Issue(Slim):
    """An issue; `pull_request` is there when it is one."""

    number: int
    title: str = ""
    body: str | None = None
    state: str = "open"
    user: Account | None = None
    labels: tuple[Label, ...] = ()
    html_url: str = ""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    pull_request: Slim | None = None

    @property
    def author(self) -> Account:
        """Return who opened it; deleted accounts are GitHub's ghost."""
        return self.user or GHOST


class Comment(Slim):
    """A comment."""

    id: int
    body: str | None = None
    user: Account | None = None
    created_at: AwareDatetime


class Head(Slim):
    """The head of a pull request."""

    sha: str


class Pull(Slim):
    """A pull request."""

    number: int
    merged: bool | None = None
    merge_commit_sha: str | None = None
    merged_at: AwareDatetime | None = None
    head: Head


class Review(Slim):
    """A review; `commit_id` is the head that it was given on."""

    state: str
    user: Account | None = None
    commit_id: str


class GitHubEvent(Slim):
    """What all webhooks of a repository have in common."""

    sender: Account
    repository: Repository
    installation: Installation

    @property
    def repo(self) -> RepoRef:
        """Return the repository as the agents know it."""
        return RepoRef(
            id=self.repository.id,
            owner=self.repository.owner.login,
            name=self.repository.name,
            installation_id=self.installation.id,
        )

    @property
    def by_person(self) -> bool:
        """Return whether a person did it: what Apps do, ours included, is never an order."""
        return self.sender.type == "User"


class IssuesEvent(GitHubEvent):
    """Something happened to an issue."""

    kind: Literal["issues"] = "issues"
    action: Literal["opened", "labeled", "edited", "closed", "reopened"]
    issue: Issue
    label: Label | None = None


class IssueCommentEvent(GitHubEvent):
    """Somebody commented on an issue or pull request. Edits are no event: what was approved cannot be put in later."""

    kind: Literal["issue_comment"] = "issue_comment"
    action: Literal["created"]
    issue: Issue
    comment: Comment


class PullRequestEvent(GitHubEvent):
    """A pull request was closed (merged or not), or somebody pushed to it."""

    kind: Literal["pull_request"] = "pull_request"
    action: Literal["closed", "synchronize"]
    pull_request: Pull


class PullRequestReviewEvent(GitHubEvent):
    """Somebody reviewed a pull request."""

    kind: Literal["pull_request_review"] = "pull_request_review"
    action: Literal["submitted"]
    review: Review
    pull_request: Pull


class SignalEvent(Slim):
    """Scout saw something."""

    kind: Literal["signal"] = "signal"
    signal: Signal


Event = Annotated[
    IssuesEvent | IssueCommentEvent | PullRequestEvent | PullRequestReviewEvent | SignalEvent,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, slots=True)
class Routed:
    """A delivery that was read: its event (None: of no interest), and the incident that it is about or would open."""

    row: InboxRow
    event: Event | None
    incident_id: str | None


ACTIONS: dict[str, frozenset[str]] = {
    "issues": frozenset({"opened", "labeled", "edited", "closed", "reopened"}),
    "issue_comment": frozenset({"created"}),
    "pull_request": frozenset({"closed", "synchronize"}),
    "pull_request_review": frozenset({"submitted"}),
}
"""The webhooks that are used, and which of their actions."""

_WEBHOOKS: dict[str, TypeAdapter[Event]] = {
    "issues": TypeAdapter(IssuesEvent),
    "issue_comment": TypeAdapter(IssueCommentEvent),
    "pull_request": TypeAdapter(PullRequestEvent),
    "pull_request_review": TypeAdapter(PullRequestReviewEvent),
}


def read_event(event: str, action: str | None, payload: str) -> Event | None:
    """Return a stored delivery as an event, None for one that is not used.

    Raises:
        DecodeError: a field that is used is missing or wrong.
    """
    try:
        if event == "signal":
            return SignalEvent(signal=Signal.model_validate_json(payload))
        if action not in ACTIONS.get(event, ()):
            return None
        return _WEBHOOKS[event].validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DecodeError(f"{event} {action or ''}: {where}: {first['msg']}") from error

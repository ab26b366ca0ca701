"""Issues, pull requests and all that hangs on them."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.sandbox.github.records.base import Record

ReactionContent = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]


class Label(Record):
    """A label of the repository."""

    name: str
    color: str = "ededed"
    description: str | None = None
    default: bool = False


class AutoMerge(BaseModel):
    """A standing order to merge as soon as nothing forbids it."""

    model_config = ConfigDict(frozen=True)

    user_id: int
    method: Literal["merge", "squash", "rebase"]
    title: str
    message: str


class Pull(BaseModel):
    """What makes an issue a pull request; shas are those of the last push while it was open."""

    model_config = ConfigDict(frozen=True)

    id: int
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    merged_at: str | None = None
    merged_by: int | None = None
    merge_commit_sha: str | None = None
    maintainer_can_modify: bool = False
    requested_reviewers: list[int] = []
    auto_merge: AutoMerge | None = None


class Issue(Record):
    """An issue, or a pull request when `pull` is set."""

    number: int
    title: str
    body: str | None
    state: Literal["open", "closed"] = "open"
    state_reason: str | None = None
    user_id: int
    app_id: int | None = None
    labels: list[int] = Field(default_factory=list[int])
    assignees: list[int] = Field(default_factory=list[int])
    created_at: str
    updated_at: str
    closed_at: str | None = None
    closed_by: int | None = None
    pull: Pull | None = None

    @property
    def pull_head(self) -> str | None:
        """The head of the pull request, or None for an issue."""
        return self.pull.head_sha if self.pull else None


class Comment(Record):
    """A comment on an issue or pull request."""

    number: int
    user_id: int
    app_id: int | None = None
    body: str
    created_at: str
    updated_at: str


class Reaction(Record):
    """A reaction on an issue (`issue:7`) or comment (`comment:1234`)."""

    subject: str
    user_id: int
    content: ReactionContent
    created_at: str


class TimelineEvent(Record):
    """Something that happened to an issue, other than a comment, a commit or a review."""

    number: int
    event: str
    actor_id: int
    app_id: int | None = None
    created_at: str
    commit_id: str | None = None
    data: dict[str, Any] = Field(default_factory=dict[str, Any])


class ReviewState(StrEnum):
    """How a review came out."""

    APPROVED = "APPROVED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    COMMENTED = "COMMENTED"
    DISMISSED = "DISMISSED"
    PENDING = "PENDING"


class Review(Record):
    """A review of a pull request at one commit."""

    number: int
    user_id: int
    state: ReviewState
    body: str
    commit_id: str
    submitted_at: str | None = None

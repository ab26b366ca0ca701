"""Check runs, commit statuses and branch protection."""

from typing import Any, Literal

from pydantic import Field

from infra.sandbox.github.records.base import Record

CheckStatus = Literal["queued", "in_progress", "completed", "waiting", "requested", "pending"]
Conclusion = Literal["action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"]


class CheckRun(Record):
    """A check run that an App made for a commit."""

    suite_id: int
    app_id: int
    name: str
    head_sha: str
    status: CheckStatus = "queued"
    conclusion: Conclusion | None = None
    external_id: str | None = None
    details_url: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])


class CommitStatus(Record):
    """A status that somebody set on a commit."""

    sha: str
    context: str
    state: Literal["error", "failure", "pending", "success"]
    description: str | None = None
    target_url: str | None = None
    creator_id: int
    created_at: str
    updated_at: str


class Protection(Record):
    """What a branch demands before anything is merged into it."""

    branch: str
    required_checks: list[str] = Field(default_factory=list[str])
    strict: bool = False
    required_approvals: int = 0
    dismiss_stale_reviews: bool = False
    enforce_admins: bool = False

"""Remedies, the plan that carries one out, decisions about it, and approvals of it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from telemetry.model import Frozen


class RaiseLimit(Frozen):
    """Set a numeric limit in a settings file to `target`, which is within its declared `maximum`."""

    kind: Literal["raise_limit"] = "raise_limit"
    service: str
    knob: str
    file: str
    path: str
    current: int
    target: int
    maximum: int


class RevertCommit(Frozen):
    """Undo one commit on the default branch."""

    kind: Literal["revert_commit"] = "revert_commit"
    service: str
    sha: str
    title: str


Remedy = Annotated[RaiseLimit | RevertCommit, Field(discriminator="kind")]


class Risk(StrEnum):
    """How much a remedy can hurt; it decides who must approve it."""

    LOW = "low"
    HIGH = "high"


class Outcome(StrEnum):
    """What policy says about a remedy."""

    ALLOW = "allow"
    REQUIRE_APPROVAL = "require_approval"
    DENY = "deny"


class Decision(Frozen):
    """A node of the decision tree: the outcome of one rule, why, and the rules below it."""

    rule: str
    outcome: Outcome
    reason: str
    approvals_needed: int = 0
    permission: str | None = None
    children: tuple["Decision", ...] = ()


class FileEdit(Frozen):
    """New content of one file. `blob_sha` is what it replaces (None: new file); `content` None deletes."""

    path: str
    blob_sha: str | None
    content: str | None


class Plan(Frozen):
    """Everything an approval is bound to. `id` is a digest over it, see `agents.plans.digest`."""

    id: str
    remedy: Remedy
    risk: Risk
    base_ref: str
    base_sha: str
    branch: str
    edits: tuple[FileEdit, ...]
    diff: str
    title: str
    config_sha: str
    policy_version: str
    expires_at: AwareDatetime


class PullRequestRef(Frozen):
    """The pull request of a plan. `head_sha` is the commit that was made for it."""

    number: int
    url: str
    head_sha: str


class Approval(Frozen):
    """One person's yes to one plan on one head commit. `comment_id` is the comment that said it, if one did."""

    login: str
    user_id: int
    plan_id: str
    head_sha: str
    at: AwareDatetime
    via: Literal["command", "review"]
    url: str | None = None
    comment_id: int | None = None

"""Writes to GitHub that a step asks for; they go through the outbox, `agents.results` applies their results.

A step never writes to GitHub itself: it returns an Incident with `outgoing` writes. They are stored in the
same transaction as the Incident and carried out at least once, by an adapter that looks for its marker first.
`key` makes a write unique within its incident: asking for the same key twice is asking once.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from telemetry.model import Frozen


class Write(Frozen):
    """Base of all writes."""

    key: str


class OpenIssue(Write):
    """Open the incident's issue. Result: number and URL."""

    kind: Literal["open_issue"] = "open_issue"
    key: str = "open_issue"


class SyncComment(Write):
    """Bring the sticky comment to the incident's state at the time of delivery; a later one replaces it."""

    kind: Literal["sync_comment"] = "sync_comment"
    key: str = "sync_comment"


class Topic(StrEnum):
    """Comments other than the sticky one; each is posted once per incident and key."""

    POST_MORTEM = "post_mortem"
    ESCALATION = "escalation"
    DRY_RUN = "dry_run"
    ASK_SERVICE = "ask_service"
    CONFIG_PROBLEM = "config_problem"
    FLAPPING = "flapping"


class PostComment(Write):
    """Post a comment of its own on the incident's issue. `note` is its reason, in plain words."""

    kind: Literal["post_comment"] = "post_comment"
    topic: Topic
    note: str = ""


class Reaction(StrEnum):
    """Reactions used on commands, by GitHub's names."""

    SEEN = "eyes"
    DONE = "rocket"
    REFUSED = "-1"


class React(Write):
    """React to somebody's comment."""

    kind: Literal["react"] = "react"
    comment_id: int
    reaction: Reaction


class Reply(Write):
    """Answer a command. `text` is trusted Markdown of ours with untrusted parts already escaped.

    `issue` is where the command was written: the incident's issue, or its pull request.
    """

    kind: Literal["reply"] = "reply"
    issue: int
    comment_id: int
    text: str


class ProposeChange(Write):
    """Make branch, commit and pull request for the incident's plan (or its revert plan). Result: the PR."""

    kind: Literal["propose_change"] = "propose_change"
    revert: bool = False


class CompleteCheck(Write):
    """Set our Check Run on the plan's head commit."""

    kind: Literal["complete_check"] = "complete_check"
    head_sha: str
    conclusion: Literal["action_required", "success", "failure", "neutral"]
    title: str
    summary: str


class MergePull(Write):
    """Merge the pull request if its head is still `head_sha`. Result: the merge commit, or why not."""

    kind: Literal["merge_pull"] = "merge_pull"
    number: int
    head_sha: str


class ClosePull(Write):
    """Close a pull request that is no longer wanted and delete its branch."""

    kind: Literal["close_pull"] = "close_pull"
    number: int
    branch: str


class LabelIssue(Write):
    """Add and remove labels of the incident's issue."""

    kind: Literal["label_issue"] = "label_issue"
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class CloseIssue(Write):
    """Close the incident's issue."""

    kind: Literal["close_issue"] = "close_issue"
    key: str = "close_issue"
    completed: bool = True


class OpenProposal(Write):
    """Open Jules's structural proposal as an issue of its own. `body` is trusted Markdown."""

    kind: Literal["open_proposal"] = "open_proposal"
    title: str
    body: str


AnyWrite = Annotated[
    OpenIssue
    | SyncComment
    | PostComment
    | React
    | Reply
    | ProposeChange
    | CompleteCheck
    | MergePull
    | ClosePull
    | LabelIssue
    | CloseIssue
    | OpenProposal,
    Field(discriminator="kind"),
]


class Done(Frozen):
    """The write was carried out; the fields are those its kind has a result for."""

    ok: Literal[True] = True
    number: int | None = None
    url: str | None = None
    sha: str | None = None


class Refused(Frozen):
    """GitHub refused for good (`retry` False), or as long as something named in `reason` is missing."""

    ok: Literal[False] = False
    reason: str
    retry: bool = False


Result = Done | Refused

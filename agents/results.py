"""What the result of a write means for the incident."""

from datetime import datetime, timedelta
from typing import assert_never

from agents.incident import Agent, Incident, Merge, Stage
from agents.plan import PullRequestRef
from agents.writes import (
    AnyWrite,
    CloseIssue,
    ClosePull,
    CompleteCheck,
    Done,
    LabelIssue,
    MergePull,
    OpenIssue,
    OpenProposal,
    PostComment,
    ProposeChange,
    React,
    Refused,
    Reply,
    Result,
    SyncComment,
    Topic,
)

MERGE_RETRY = timedelta(seconds=20)
"""How long Human waits before it checks again whether what GitHub was missing for the merge is there."""


def apply(incident: Incident, write: AnyWrite, result: Result, at: datetime) -> Incident:
    """Return the incident after `write` was carried out, or was refused for good."""
    match write:
        case OpenIssue():
            return _opened(incident, result, at)
        case SyncComment():
            return _synced(incident, result, at)
        case ProposeChange():
            return _proposed(incident, write, result, at)
        case MergePull():
            return _merged(incident, result, at)
        case (
            PostComment()
            | React()
            | Reply()
            | CompleteCheck()
            | ClosePull()
            | LabelIssue()
            | CloseIssue()
            | OpenProposal()
        ):
            return incident
        case _:
            assert_never(write)


def _opened(incident: Incident, result: Result, at: datetime) -> Incident:
    if incident.stage is not Stage.OPENING:  # it has ended meanwhile; people find it by its issue, if there is one now
        if isinstance(result, Refused):
            return incident
        return incident.evolve(issue=result.number, issue_url=result.url).send(SyncComment())
    if isinstance(result, Refused):
        return incident.move(Stage.ESCALATED, Agent.SCOUT, f"The issue could not be opened: {result.reason}", at)
    note = f"Issue #{result.number} is open."
    return incident.move(Stage.OBSERVING, Agent.SCOUT, note, at, issue=result.number, issue_url=result.url)


def _synced(incident: Incident, result: Result, at: datetime) -> Incident:
    if isinstance(result, Refused):
        return incident
    clock = incident.clock
    if clock.owned is None:
        clock = clock.model_copy(update={"owned": at})
    return incident.evolve(comment_id=result.number, clock=clock)


def _proposed(incident: Incident, write: ProposeChange, result: Result, at: datetime) -> Incident:
    is_wanted = write.revert or incident.stage is Stage.PROPOSING
    if isinstance(result, Refused):
        note = f"The pull request could not be made: {result.reason}"
        return escalate(incident, Agent.FIXER, note, at) if is_wanted else incident
    pull = PullRequestRef(number=result.number or 0, url=result.url or "", head_sha=result.sha or "")
    if write.revert:
        return incident.evolve(revert_pull_request=pull).send(SyncComment())
    if not is_wanted:
        return _proposed_too_late(incident, pull, at)
    plan = incident.plan
    note = f"Pull request #{pull.number} is open and waits for approval."
    return incident.move(Stage.AWAITING_APPROVAL, Agent.FIXER, note, at, pull_request=pull).send(
        CompleteCheck(
            key=f"check:{plan.id if plan else pull.head_sha}:waiting",
            head_sha=pull.head_sha,
            conclusion="action_required",
            title="Waiting for approval",
            summary="A maintainer can comment `/approve` on this pull request or on the incident's issue.",
        )
    )


def _proposed_too_late(incident: Incident, pull: PullRequestRef, at: datetime) -> Incident:
    """Return the incident that ended while its pull request was being made: nobody wants that any more."""
    branch = incident.plan.branch if incident.plan else ""
    note = f"Pull request #{pull.number} came after the incident had ended, so it is closed again."
    ended = incident.move(incident.stage, Agent.FIXER, note, at, pull_request=pull)
    return ended.send(ClosePull(key=f"close_pull:{pull.number}", number=pull.number, branch=branch))


def _merged(incident: Incident, result: Result, at: datetime) -> Incident:
    if incident.stage is not Stage.MERGING:  # the webhook of the merge came before its answer
        return incident
    if isinstance(result, Done) and result.sha:
        note = f"The fix is merged as {result.sha[:9]}. It counts once telemetry shows that it works."
        merged = incident.move(Stage.VERIFYING, Agent.FIXER, note, at, merge=Merge(sha=result.sha, at=at))
        return merged.evolve(wake_at=at)
    reason = result.reason if isinstance(result, Refused) else "GitHub did not name the merge commit."
    if isinstance(result, Refused) and not result.retry:
        note = f"GitHub refused the merge: {reason} The approval no longer holds."
        return incident.move(Stage.AWAITING_APPROVAL, Agent.FIXER, note, at, approvals=())
    note = f"Approved, but GitHub does not merge yet: {reason}"
    if incident.timeline and incident.timeline[-1].note == note:
        return incident.enter(Stage.APPROVED).evolve(wake_at=at + MERGE_RETRY)
    return incident.move(Stage.APPROVED, Agent.FIXER, note, at).evolve(wake_at=at + MERGE_RETRY)


def escalate(incident: Incident, agent: Agent, note: str, at: datetime, *, topic: Topic = Topic.ESCALATION) -> Incident:
    """Hand the incident to people: the last stage that SRE-Space itself takes it to, with a comment that says why."""
    comment = PostComment(key=topic.value, topic=topic, note=note)
    return incident.move(Stage.ESCALATED, agent, note, at).send(comment)

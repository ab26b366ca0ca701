"""Carries out the writes that agents ask for, each at least once and never twice in effect."""

from typing import assert_never

from agents.errors import ForgeRefusedError
from agents.incident import Incident
from agents.markdown import plain
from agents.ports import Forge
from agents.writes import (
    AnyWrite,
    CloseIssue,
    ClosePull,
    CompleteCheck,
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
)
from bot.comments import Texts
from bot.comments.opening import MAX_TITLE
from bot.markers import ISSUE_KIND

PROPOSAL_LABEL = "reliability"
NO_ISSUE = Refused(reason="the incident has no issue yet")


async def deliver(incident: Incident, write: AnyWrite, forge: Forge, texts: Texts) -> Result:
    """Return what came of `write`.

    A call that GitHub refuses is a `Refused`. Raises ForgeUnavailableError: try again later.
    """
    try:
        return await _carried_out(incident, write, forge, texts)
    except ForgeRefusedError as error:
        return Refused(reason=error.reason)


async def _carried_out(incident: Incident, write: AnyWrite, forge: Forge, texts: Texts) -> Result:
    match write:
        case OpenIssue():
            return await _open_issue(incident, write, forge, texts)
        case OpenProposal():
            return await _open_proposal(incident, write, forge, texts)
        case SyncComment() | PostComment() | Reply():
            return await _comment(incident, write, forge, texts)
        case React():
            return await forge.react(incident.repo, write.comment_id, write.reaction)
        case ProposeChange() | MergePull() | ClosePull() | CompleteCheck():
            return await _change(incident, write, forge, texts)
        case LabelIssue() | CloseIssue():
            return await _mark(incident, write, forge)
        case _:
            assert_never(write)


async def _open_issue(incident: Incident, write: OpenIssue, forge: Forge, texts: Texts) -> Result:
    text = texts.issue(incident)
    marker = texts.markers.make(ISSUE_KIND, incident.id, write.key)
    return await forge.open_issue(
        incident.repo, title=text.title, body=text.body, labels=texts.labels(incident), marker=marker
    )


async def _open_proposal(incident: Incident, write: OpenProposal, forge: Forge, texts: Texts) -> Result:
    marker = texts.markers.make("proposal", incident.id, write.key)
    title = plain(write.title, MAX_TITLE)
    return await forge.open_issue(incident.repo, title=title, body=write.body, labels=(PROPOSAL_LABEL,), marker=marker)


async def _comment(incident: Incident, write: SyncComment | PostComment | Reply, forge: Forge, texts: Texts) -> Result:
    """Bring one comment of ours to what it should say; only the sticky comment's id is known beforehand."""
    issue = write.issue if isinstance(write, Reply) else incident.issue
    if issue is None:
        return NO_ISSUE
    known: int | None = None
    match write:
        case SyncComment():
            body, known = texts.sticky(incident), incident.comment_id
        case PostComment():
            body = texts.notice(incident, write)
        case Reply():
            body = write.text
        case _:
            assert_never(write)
    marker = texts.markers.make(write.kind, incident.id, write.key)
    return await forge.upsert_comment(incident.repo, issue, body=body, marker=marker, comment_id=known)


async def _change(
    incident: Incident, write: ProposeChange | MergePull | ClosePull | CompleteCheck, forge: Forge, texts: Texts
) -> Result:
    match write:
        case ProposeChange():
            return await _propose(incident, write, forge, texts)
        case MergePull():
            title = texts.merge_title(incident, write.number)
            return await forge.merge(incident.repo, write.number, head_sha=write.head_sha, title=title)
        case ClosePull():
            return await forge.close_pull(incident.repo, write.number, branch=write.branch)
        case CompleteCheck():
            return await forge.complete_check(
                incident.repo,
                write.head_sha,
                conclusion=write.conclusion,
                title=write.title,
                summary=write.summary,
            )
        case _:
            assert_never(write)


async def _propose(incident: Incident, write: ProposeChange, forge: Forge, texts: Texts) -> Result:
    plan = incident.revert_plan if write.revert else incident.plan
    if plan is None:
        return Refused(reason="there is no plan to propose")
    message = texts.commit_message(incident, plan)
    body = texts.pull_request(incident, plan, revert=write.revert)
    return await forge.propose_change(incident.repo, plan, message=message, body=body)


async def _mark(incident: Incident, write: LabelIssue | CloseIssue, forge: Forge) -> Result:
    if incident.issue is None:
        return NO_ISSUE
    if isinstance(write, CloseIssue):
        return await forge.close_issue(incident.repo, incident.issue, completed=write.completed)
    return await forge.label_issue(incident.repo, incident.issue, add=write.add, remove=write.remove)

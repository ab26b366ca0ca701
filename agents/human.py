"""Human's part: what people command, and what they approve (design §6)."""

from datetime import datetime
from typing import assert_never

from agents import texts
from agents.approvals import permission_problem, unedited
from agents.approving import approve, human, pushed, review
from agents.commands import Command, CommandName, Invocation, UnknownCommand, parse, spec
from agents.incident import Agent, Incident, Stage
from agents.markdown import plain
from agents.ports import CommentState, ForgeReader, Now, Permission
from agents.replies import done, react, refuse
from agents.results import escalate
from agents.writes import ClosePull, CompleteCheck, Reaction, Reply

__all__ = ["answer", "human", "pushed", "review"]

REJECTABLE = frozenset({Stage.AWAITING_APPROVAL, Stage.APPROVED})


async def answer(incident: Incident, invocation: Invocation, forge: ForgeReader, now: Now) -> Incident:
    """Return the incident after a command, with reaction and reply; each comment is answered at most once.

    What counts is the comment as it is now: written by a person, unedited, and saying what the webhook said. A comment
    that is gone is not answered. A bot is told once per incident that it cannot command, so that two bots never talk
    to each other for ever.
    """
    comment = await forge.comment(incident.repo, invocation.comment_id)
    if comment is None:
        return incident
    if comment.author_type != "User" or invocation.author_type != "User":
        key = f"reply:bot:{plain(comment.author, 100)}"
        return incident.send(Reply(key=key, issue=invocation.issue, comment_id=comment.id, text=texts.BY_BOT))
    incident = react(incident, comment.id, Reaction.SEEN)
    same_author = (comment.author.lower(), comment.author_id) == (invocation.login.lower(), invocation.user_id)
    if not unedited(comment) or not same_author or parse(comment.body) != invocation.command:
        return refuse(incident, invocation, texts.EDITED)
    match invocation.command:
        case UnknownCommand():
            return refuse(incident, invocation, texts.unknown(invocation.command))
        case Command():
            return await _authorised(incident, invocation, invocation.command, comment, forge, now())


async def _authorised(
    incident: Incident,
    invocation: Invocation,
    command: Command,
    comment: CommentState,
    forge: ForgeReader,
    at: datetime,
) -> Incident:
    """Obey if the table of commands lets this person; what changes something is never done for an app."""
    needed = spec(command.name).permission
    if needed == "read":
        return _tell(incident, invocation, command)
    if comment.by_app:
        return refuse(incident, invocation, texts.BY_APP)
    given = await forge.permission(incident.repo, comment.author)
    problem = permission_problem(comment.author, given, needed, f"`/{command.name}`")
    if problem is not None:
        return refuse(incident, invocation, texts.problem(problem))
    return await _obey(incident, invocation, command, comment, given, forge, at)


def _tell(incident: Incident, invocation: Invocation, command: Command) -> Incident:
    text = texts.status(incident) if command.name is CommandName.STATUS else texts.help_text()
    return done(incident, invocation, text)


async def _obey(
    incident: Incident,
    invocation: Invocation,
    command: Command,
    comment: CommentState,
    given: Permission,
    forge: ForgeReader,
    at: datetime,
) -> Incident:
    match command.name:
        case CommandName.APPROVE:
            return await approve(incident, invocation, command.argument, comment, given, forge, at)
        case CommandName.REJECT:
            return _reject(incident, invocation, command.argument, at)
        case CommandName.STATUS | CommandName.HELP:
            return _tell(incident, invocation, command)
        case _:
            assert_never(command.name)


def _reject(incident: Incident, invocation: Invocation, reason: str, at: datetime) -> Incident:
    """Close the pull request and hand the incident to people."""
    plan, pull = incident.plan, incident.pull_request
    if incident.stage not in REJECTABLE or plan is None or pull is None:
        return refuse(incident, invocation, texts.nothing_to_reject(incident))
    why = f": {plain(reason, 300)}" if reason else "."
    note = f"{invocation.login} rejected the fix{why}"
    ended = escalate(incident.evolve(approvals=()), Agent.HUMAN, note, at).send(
        ClosePull(key=f"close_pull:{pull.number}", number=pull.number, branch=plan.branch),
        CompleteCheck(
            key=f"check:{plan.id}:rejected",
            head_sha=pull.head_sha,
            conclusion="failure",
            title="Rejected",
            summary=f"Plan `{plan.id}` was rejected. People take over.",
        ),
    )
    return done(ended, invocation, texts.rejected(invocation.login, pull.number, reason))

"""Whose yes counts for a plan: a person with live permission who neither opened the pull request nor pushed to it."""

import re

from agents.config import ApprovalRule
from agents.gate import Gate, Problem
from agents.incident import Incident
from agents.markdown import code, escape
from agents.plan import Approval, Plan, Risk
from agents.plans import ID_LENGTH, made_at
from agents.ports import CommentState, ForgeReader, Permission

MIN_PREFIX = 7
_PLAN = re.compile(rf"[0-9a-f]{{{MIN_PREFIX},{ID_LENGTH}}}", re.ASCII)
_RANK: tuple[Permission, ...] = ("none", "read", "triage", "write", "maintain", "admin")


def enough(given: Permission, needed: Permission) -> bool:
    """Return whether one permission includes another."""
    return _RANK.index(given) >= _RANK.index(needed)


def permission_problem(login: str, given: Permission, needed: Permission, what: str) -> Problem | None:
    """Return that a person has too little permission for `what`, or None if it is enough."""
    if enough(given, needed):
        return None
    return Problem(
        f"{escape(login)} has {given} permission on this repository; {what} needs {needed}.",
        f"ask somebody with {needed} permission.",
    )


def person_problem(login: str, given: Permission, gate: Gate) -> Problem | None:
    """Return why this person's yes does not count, or None if it does. `given` was asked live."""
    others = "somebody else has to approve it."
    if login.lower() == gate.state.opener.lower():
        return Problem(f"{escape(login)} opened #{gate.pull.number}, and nobody approves their own change.", others)
    if login.lower() in {pusher.lower() for pusher in gate.state.pushers}:
        what = f"has commits on #{gate.pull.number}"
        return Problem(f"{escape(login)} {what}, and nobody approves their own change.", others)
    return permission_problem(login, given, gate.rule.permission, "this fix")


def plan_argument_problem(argument: str, gate: Gate) -> Problem | None:
    """Return what is wrong with the plan that `/approve` names, or that it names none although it must."""
    plan, number = gate.plan, gate.pull.number
    named = argument.strip("`").lower()
    if not argument and plan.risk is Risk.HIGH:
        return Problem("This fix is of high risk, so an approval has to name its plan.", _read_and_name(plan, number))
    if not argument or (_PLAN.fullmatch(named) and plan.id.startswith(named)):
        return None
    if _PLAN.fullmatch(named):
        return Problem(
            f"{code(named)} is not the plan that is open, which is `{plan.id}`.", _read_and_name(plan, number)
        )
    return Problem(
        f"`/approve` takes nothing but the id of a plan, at least {MIN_PREFIX} of its {ID_LENGTH} characters; "
        f"{code(argument, 40)} is none.",
        _read_and_name(plan, number),
    )


def _read_and_name(plan: Plan, number: int) -> str:
    return f"read #{number} and write `/approve {plan.id}`."


def age_problem(comment: CommentState, argument: str, gate: Gate) -> Problem | None:
    """Return that the comment is older than the plan, so that it cannot mean it unless it names it."""
    if argument or comment.created_at >= made_at(gate.plan):
        return None
    return Problem(
        f"This comment is older than plan `{gate.plan.id}`, so it cannot mean it.",
        _read_and_name(gate.plan, gate.pull.number),
    )


def counted(incident: Incident, gate: Gate) -> tuple[Approval, ...]:
    """Return the approvals of exactly this plan on exactly this head, one per person."""
    matching = [a for a in incident.approvals if (a.plan_id, a.head_sha) == (gate.plan.id, gate.state.head_sha)]
    return tuple({approval.user_id: approval for approval in reversed(matching)}.values())[::-1]


def missing(rule: ApprovalRule, approvals: tuple[Approval, ...]) -> int:
    """Return how many more people have to approve."""
    return max(rule.count - len(approvals), 0)


def unedited(comment: CommentState) -> bool:
    """Return whether a comment still is as it was written."""
    return comment.created_at == comment.updated_at


async def still_given(approval: Approval, gate: Gate, incident: Incident, forge: ForgeReader) -> bool:
    """Return whether an approval that was given still counts: person, permission, and the comment that said so."""
    given = await forge.permission(incident.repo, approval.login)
    if person_problem(approval.login, given, gate):
        return False
    if approval.comment_id is None:
        return True
    comment = await forge.comment(incident.repo, approval.comment_id)
    return comment is not None and unedited(comment) and comment.author_id == approval.user_id

"""Approvals: taken one by one, dropped on a push, and checked once more before the merge (design §6)."""

from datetime import datetime

from agents import texts
from agents.approvals import (
    age_problem,
    counted,
    enough,
    missing,
    person_problem,
    plan_argument_problem,
    still_given,
)
from agents.commands import Invocation
from agents.gate import Gate, Merged, Problem, Revoked, open_gate
from agents.incident import Agent, Incident, Stage
from agents.markdown import plain, unescape
from agents.plan import Approval, PullRequestRef, Risk
from agents.ports import CommentState, ForgeReader, Now, Permission, Step
from agents.replies import done, refuse
from agents.writes import ClosePull, CompleteCheck, MergePull, Reply

WAITING = frozenset({Stage.AWAITING_APPROVAL, Stage.APPROVED})


async def approve(
    incident: Incident,
    invocation: Invocation,
    argument: str,
    comment: CommentState,
    given: Permission,
    forge: ForgeReader,
    at: datetime,
) -> Incident:
    """Return the incident with the approval that `comment` gives, or with the reason why it gives none.

    `argument` is what follows `/approve` in the comment. The caller has made sure that a person wrote the comment, that
    it is unedited, and that `given` is enough for the command itself.
    """
    if incident.stage is not Stage.AWAITING_APPROVAL:
        return refuse(incident, invocation, texts.nothing_to_approve(incident))
    gate = await open_gate(incident, forge, at)
    if isinstance(gate, Problem):
        return _closed_gate(incident, invocation, gate, at)
    problem = (
        person_problem(comment.author, given, gate)
        or plan_argument_problem(argument, gate)
        or age_problem(comment, argument, gate)
    )
    if problem is not None:
        return refuse(incident, invocation, texts.problem(problem))
    approvals = counted(incident, gate)
    if any(approval.user_id == comment.author_id for approval in approvals):
        text = texts.approved_before(gate.plan, gate.pull.number, len(approvals), gate.rule.count)
        return refuse(incident, invocation, text)
    approvals = (*approvals, _by_comment(comment, gate))
    text = texts.approved(comment.author, gate.plan, gate.pull.number, len(approvals), gate.rule.count)
    return done(_approved(incident, approvals, gate, at), invocation, text)


def _by_comment(comment: CommentState, gate: Gate) -> Approval:
    return Approval(
        login=comment.author,
        user_id=comment.author_id,
        plan_id=gate.plan.id,
        head_sha=gate.state.head_sha,
        at=comment.created_at,
        via="command",
        url=comment.url or None,
        comment_id=comment.id,
    )


def _closed_gate(incident: Incident, invocation: Invocation, problem: Problem, at: datetime) -> Incident:
    if isinstance(problem, Revoked):
        return refuse(_replan(incident, problem, at), invocation, texts.replaced(problem.plan, problem.why))
    return refuse(incident, invocation, texts.problem(problem))


def _approved(incident: Incident, approvals: tuple[Approval, ...], gate: Gate, at: datetime) -> Incident:
    """Return the incident with one more approval: on to the merge if it was the last one needed."""
    stage = Stage.AWAITING_APPROVAL if missing(gate.rule, approvals) else Stage.APPROVED
    last = approvals[-1]
    way = "with a review" if last.via == "review" else "by command"
    note = f"{last.login} approved plan {gate.plan.id} {way} ({len(approvals)} of {gate.rule.count})."
    return incident.move(stage, Agent.HUMAN, note, at, approvals=approvals)


async def review(incident: Incident, login: str, user_id: int, head_sha: str, forge: ForgeReader, now: Now) -> Incident:
    """Return the incident after a native approving review of the commit `head_sha`: it counts like `/approve`.

    A review of high risk does not count, because it cannot name the plan. One that comes when nothing waits for
    approval is a review like any other, and is not answered.
    """
    pull = incident.pull_request
    if incident.stage is not Stage.AWAITING_APPROVAL or pull is None:
        return incident
    given = await forge.permission(incident.repo, login)
    gate = await open_gate(incident, forge, now())
    if isinstance(gate, Problem):
        refused = _review_refused(incident, pull.number, user_id, head_sha, gate)
        return _replan(refused, gate, now()) if isinstance(gate, Revoked) and enough(given, "write") else refused
    problem = _review_problem(login, given, head_sha, gate)
    if problem is not None:
        return _review_refused(incident, pull.number, user_id, head_sha, problem)
    approvals = counted(incident, gate)
    if any(approval.user_id == user_id for approval in approvals):
        return incident
    approval = Approval(
        login=login, user_id=user_id, plan_id=gate.plan.id, head_sha=head_sha, at=now(), via="review", url=gate.pull.url
    )
    return _approved(incident, (*approvals, approval), gate, now())


def _review_problem(login: str, given: Permission, head_sha: str, gate: Gate) -> Problem | None:
    if login.lower().endswith("[bot]"):
        return Problem("Only people can approve.")
    if head_sha != gate.state.head_sha:
        return Problem("It is not about the commit that is on the branch now.", "review the latest commit.")
    if gate.plan.risk is Risk.HIGH:
        write = f"read the plan and write `/approve {gate.plan.id}`."
        return Problem("This fix is of high risk, so an approval has to name its plan.", write)
    return person_problem(login, given, gate)


def _review_refused(incident: Incident, number: int, user_id: int, head_sha: str, problem: Problem) -> Incident:
    text = texts.review_does_not_count(problem)
    return incident.send(Reply(key=f"reply:review:{user_id}:{head_sha[:12]}", issue=number, comment_id=0, text=text))


def pushed(incident: Incident, login: str, head_sha: str, at: datetime) -> Incident:
    """Return the incident after a push to its pull request's branch: approvals are dropped, which is said once."""
    pull = incident.pull_request
    if incident.stage not in WAITING or pull is None or head_sha == pull.head_sha:
        return incident
    count = len(incident.approvals)
    dropped = f"{count} {'approval no longer holds' if count == 1 else 'approvals no longer hold'}"
    if incident.stage is Stage.AWAITING_APPROVAL and not incident.approvals:
        dropped = "it cannot be approved as it is"
    note = f"{plain(login, 100)} pushed {head_sha[:9]} to #{pull.number}, which is not part of the plan: {dropped}."
    if incident.timeline and incident.timeline[-1].note == note:
        return incident
    check = CompleteCheck(
        key=f"check:{head_sha}:pushed",
        head_sha=head_sha,
        conclusion="action_required",
        title="Not the plan",
        summary="This commit is not part of the plan, so SRE-Space does not merge it. People can.",
    )
    return incident.move(Stage.AWAITING_APPROVAL, Agent.HUMAN, note, at, approvals=()).send(check)


def human(forge: ForgeReader, now: Now) -> Step:
    """Build the step for `approved`: everything is checked again, live, and only then the merge is asked for."""

    async def check(incident: Incident) -> Incident:
        at = now()
        gate = await open_gate(incident, forge, at)
        if isinstance(gate, Problem):
            return _stopped(incident, gate, at)
        given = counted(incident, gate)
        valid = tuple([a for a in given if await still_given(a, gate, incident, forge)])
        if missing(gate.rule, valid):
            gone = texts.names(tuple(a for a in given if a not in valid)) or "nobody"
            note = f"No longer approved: the approval by {gone} does not hold any more."
            return incident.move(Stage.AWAITING_APPROVAL, Agent.HUMAN, note, at, approvals=valid)
        return _merge(incident, gate.pull, f"Approved by {texts.names(valid)}; everything still holds.", at)

    return check


def _stopped(incident: Incident, problem: Problem, at: datetime) -> Incident:
    """Return the incident back with people, or with Guardrail for a new plan. What is merged already moves on."""
    if isinstance(problem, Merged):
        return _merge(incident, problem.pull, "The pull request is merged already.", at)
    if isinstance(problem, Revoked):
        return _replan(incident, problem, at)
    note = f"Approved, but not merged: {unescape(problem.why)}"
    return incident.move(Stage.AWAITING_APPROVAL, Agent.HUMAN, note, at, approvals=())


def _merge(incident: Incident, pull: PullRequestRef, note: str, at: datetime) -> Incident:
    """Ask for the merge with the approved head. A merge that GitHub put off is asked for again without a new entry."""
    again = any(entry.stage is Stage.MERGING for entry in incident.timeline[-2:])
    moved = incident.enter(Stage.MERGING) if again else incident.move(Stage.MERGING, Agent.HUMAN, note, at)
    key = f"merge:{pull.number}:{at:%Y%m%dT%H%M%S%f}"
    return moved.send(MergePull(key=key, number=pull.number, head_sha=pull.head_sha))


def _replan(incident: Incident, revoked: Revoked, at: datetime) -> Incident:
    """Return the incident with its plan withdrawn, at Guardrail, which decides about a new one."""
    plan, pull = revoked.plan, revoked.pull
    note = f"Plan {plan.id} no longer holds: {unescape(revoked.why)} A new plan is made."
    moved = incident.move(
        Stage.DECIDING, Agent.HUMAN, note, at, plan=None, pull_request=None, approvals=(), decision=None
    )
    return moved.send(
        ClosePull(key=f"close_pull:{pull.number}", number=pull.number, branch=plan.branch),
        CompleteCheck(
            key=f"check:{plan.id}:replaced",
            head_sha=pull.head_sha,
            conclusion="neutral",
            title="Replaced",
            summary=f"Plan `{plan.id}` no longer holds. A new plan takes its place.",
        ),
    )

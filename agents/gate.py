"""Whether a plan may still be approved and merged, checked live against GitHub.

This reads design §6 so: a plan is revoked when the pull request's base changed, or when commits on the base branch
since the plan was made touch a file of the plan or the configuration, or rewrite history; also when it has expired or
policy has changed. Unrelated commits on the base do not revoke it: on a busy repository nothing could ever be approved.
A revoked plan is replaced by a new one. A push to the plan's branch, in contrast, is somebody's own change: approvals
fall, and people decide what becomes of it.
"""

from dataclasses import dataclass
from datetime import datetime

from agents.config import DOES, ApprovalRule, Autonomy, RepoConfig, load
from agents.errors import ConfigError
from agents.incident import Incident
from agents.markdown import escape
from agents.plan import Plan, PullRequestRef
from agents.plans import POLICY_VERSION
from agents.ports import ForgeReader, PullState


@dataclass(frozen=True)
class Problem:
    """Why a plan cannot go on, and what to do next, as Markdown. `revokes`: a new plan must take its place."""

    why: str
    next: str = ""
    revokes: bool = False
    merged: bool = False


@dataclass(frozen=True)
class Gate:
    """A plan that holds: what is to be approved, as it is now, and by whom."""

    plan: Plan
    pull: PullRequestRef
    state: PullState
    rule: ApprovalRule


async def open_gate(incident: Incident, forge: ForgeReader, now: datetime) -> Gate | Problem:
    """Return the gate of the incident's plan, or the first thing that is in its way."""
    plan, pull = incident.plan, incident.pull_request
    if plan is None or pull is None:
        return Problem("There is no plan to approve.")
    if now >= plan.expires_at:
        return _revoked(f"it expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC.")
    if plan.policy_version != POLICY_VERSION:
        return _revoked("SRE-Space's own policy changed since it was made.")
    state = await forge.pull(incident.repo, pull.number)
    if state is None:
        return _gone(pull)
    config = _pull_problem(plan, pull, state) or await _config(incident, plan, pull, forge)
    if isinstance(config, Problem):
        return config
    return Gate(plan, pull, state, config.approvals.rule(plan.risk))


def _revoked(why: str) -> Problem:
    return Problem(why, revokes=True)


def _pull_problem(plan: Plan, pull: PullRequestRef, state: PullState) -> Problem | None:
    """Return what is wrong with the pull request, if anything."""
    if state.head_sha != pull.head_sha or state.head_ref != plan.branch:
        return Problem(
            f"#{pull.number} holds commits that are not part of plan `{plan.id}`.",
            f"take them off again (the plan's commit is `{pull.head_sha[:9]}`), or review and merge #{pull.number} "
            "yourself, or `/reject` it.",
        )
    if state.merged:
        return Problem(f"#{pull.number} is merged already.", merged=True)
    if not state.open:
        return Problem(f"#{pull.number} is closed.", "reopen it, or `/reject` to hand the incident to people.")
    if state.base_ref != plan.base_ref:
        return _revoked(f"#{pull.number} now goes into {escape(state.base_ref, 100)}, not {escape(plan.base_ref)}.")
    return None


def _gone(pull: PullRequestRef) -> Problem:
    return Problem(f"#{pull.number} does not exist any more.", "`/reject` to hand the incident to people.")


async def _config(incident: Incident, plan: Plan, pull: PullRequestRef, forge: ForgeReader) -> RepoConfig | Problem:
    """Return the configuration if it and the plan's files are on the base branch as they were for the plan."""
    name, head = await forge.default_branch(incident.repo)
    if name != plan.base_ref:
        return _revoked(f"the default branch is now {escape(name, 100)}.")
    try:
        config, config_sha = await load(forge, incident.repo, head)
    except ConfigError:
        return _revoked("the repository's configuration cannot be used any more.")
    if config_sha != plan.config_sha:
        return _revoked("the repository's configuration changed since it was made.")
    if config.autonomy is not Autonomy.APPROVE:
        return Problem(
            f"The repository's autonomy is {config.autonomy}: {DOES[config.autonomy]}.",
            f"review and merge #{pull.number} on GitHub yourself.",
        )
    return await _moved(incident, plan, head, forge) or config


async def _moved(incident: Incident, plan: Plan, head: str, forge: ForgeReader) -> Problem | None:
    """Return what happened on the base branch since the plan was made that the plan cannot live with."""
    if head == plan.base_sha:
        return None
    name = escape(plan.base_ref, 100)
    comparison = await forge.compare(incident.repo, plan.base_sha, head)
    if comparison is None or comparison.status != "ahead":
        return _revoked(f"the history of {name} was rewritten since it was made.")
    for edit in plan.edits:
        file = await forge.file(incident.repo, edit.path, head)
        if (file.blob_sha if file else None) != edit.blob_sha:
            return _revoked(f"{escape(edit.path)} changed on {name} since it was made.")
    return None

"""Whether a plan may still be approved and merged, checked live against GitHub.

This reads design §6 so: a plan is revoked when the pull request's base changed, or when commits on the base branch
since the plan was made touch a file of the plan or the configuration, or rewrite history; also when it has expired or
policy has changed. Unrelated commits on the base do not revoke it: on a busy repository nothing could ever be approved.
A revoked plan is replaced by a new one. A push to the plan's branch, in contrast, is somebody's own change: approvals
fall, and people decide what becomes of it.

`open_gate` reads the facts from GitHub. `judge` decides and reads nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agents.config import DOES, ApprovalRule, Autonomy, RepoConfig, load
from agents.errors import ConfigError
from agents.incident import Incident, RepoRef
from agents.markdown import escape
from agents.plan import Plan, PullRequestRef
from agents.plans import POLICY_VERSION
from agents.ports import ForgeReader, PullState


@dataclass(frozen=True)
class Problem:
    """Why a plan cannot go on, and what to do next, as Markdown."""

    why: str
    next: str = ""


@dataclass(frozen=True, kw_only=True)
class Revoked(Problem):
    """A plan that no longer holds: a new one must take its place."""

    plan: Plan
    pull: PullRequestRef


@dataclass(frozen=True, kw_only=True)
class Merged(Problem):
    """A plan that somebody has merged already."""

    pull: PullRequestRef


@dataclass(frozen=True)
class Gate:
    """A plan that holds: what is to be approved, as it is now, and by whom."""

    plan: Plan
    pull: PullRequestRef
    state: PullState
    rule: ApprovalRule


@dataclass(frozen=True)
class Facts:
    """What GitHub says now about a plan's pull request and about the default branch.

    `pull` is None when the pull request does not exist, `config` when the configuration at `head` cannot be used.
    `comparison` is how `head` stands to the plan's base commit, None when GitHub does not know one of the two. `blobs`
    has the blob SHA at `head` of every file that the plan edits, None for a file that does not exist. If `head` is
    the plan's base commit, neither is read: `comparison` is "identical" and `blobs` is empty.
    """

    pull: PullState | None
    default_branch: str
    head: str
    config: RepoConfig | None
    config_sha: str | None
    comparison: Literal["identical", "ahead", "behind", "diverged"] | None
    blobs: dict[str, str | None]


async def open_gate(incident: Incident, forge: ForgeReader, now: datetime) -> Gate | Problem:
    """Return the gate of the incident's plan, or the first thing that is in its way."""
    plan, pull = incident.plan, incident.pull_request
    if plan is None or pull is None:
        return Problem("There is no plan to approve.")
    return judge(plan, pull, await _read(incident.repo, plan, pull, forge), now)


async def _read(repo: RepoRef, plan: Plan, pull: PullRequestRef, forge: ForgeReader) -> Facts:
    """Return the facts about a plan, read one after the other."""
    state = await forge.pull(repo, pull.number)
    name, head = await forge.default_branch(repo)
    try:
        config, config_sha = await load(forge, repo, head)
    except ConfigError:
        config, config_sha = None, None
    if head == plan.base_sha:
        return Facts(state, name, head, config, config_sha, "identical", {})
    compared = await forge.compare(repo, plan.base_sha, head)
    files = {edit.path: await forge.file(repo, edit.path, head) for edit in plan.edits}
    blobs = {path: file.blob_sha if file else None for path, file in files.items()}
    return Facts(state, name, head, config, config_sha, compared.status if compared else None, blobs)


def judge(plan: Plan, pull: PullRequestRef, facts: Facts, now: datetime) -> Gate | Problem:  # noqa: C901, PLR0911, PLR0912 - one line for each reason
    """Return the gate if the plan holds by these facts, else the first problem."""
    state, config = facts.pull, facts.config
    moved = facts.head != plan.base_sha

    def revoked(why: str) -> Revoked:
        return Revoked(why, plan=plan, pull=pull)

    if now >= plan.expires_at:
        return revoked(f"it expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC.")
    if plan.policy_version != POLICY_VERSION:
        return revoked("SRE-Space's own policy changed since it was made.")
    if state is None:
        return Problem(f"#{pull.number} does not exist any more.", "`/reject` to hand the incident to people.")
    if state.head_sha != pull.head_sha or state.head_ref != plan.branch:
        return _not_the_plan(plan, pull)
    if state.merged:
        return Merged(f"#{pull.number} is merged already.", pull=pull)
    if not state.open:
        return Problem(f"#{pull.number} is closed.", "reopen it, or `/reject` to hand the incident to people.")
    if state.base_ref != plan.base_ref:
        return revoked(f"#{pull.number} now goes into {escape(state.base_ref, 100)}, not {escape(plan.base_ref)}.")
    if facts.default_branch != plan.base_ref:
        return revoked(f"the default branch is now {escape(facts.default_branch, 100)}.")
    if config is None:
        return revoked("the repository's configuration cannot be used any more.")
    if facts.config_sha != plan.config_sha:
        return revoked("the repository's configuration changed since it was made.")
    if config.autonomy is not Autonomy.APPROVE:
        return _left_to_people(config.autonomy, pull)
    if moved and facts.comparison != "ahead":
        return revoked(f"the history of {escape(plan.base_ref, 100)} was rewritten since it was made.")
    if moved and (changed := _changed(plan, facts.blobs)):
        return revoked(f"{escape(changed[0])} changed on {escape(plan.base_ref, 100)} since it was made.")
    return Gate(plan, pull, state, config.approvals.rule(plan.risk))


def _not_the_plan(plan: Plan, pull: PullRequestRef) -> Problem:
    return Problem(
        f"#{pull.number} holds commits that are not part of plan `{plan.id}`.",
        f"take them off again (the plan's commit is `{pull.head_sha[:9]}`), or review and merge #{pull.number} "
        "yourself, or `/reject` it.",
    )


def _left_to_people(autonomy: Autonomy, pull: PullRequestRef) -> Problem:
    return Problem(
        f"The repository's autonomy is {autonomy}: {DOES[autonomy]}.",
        f"review and merge #{pull.number} on GitHub yourself.",
    )


def _changed(plan: Plan, blobs: dict[str, str | None]) -> list[str]:
    """Return the plan's files that are no longer what the plan replaces, in the plan's order."""
    return [edit.path for edit in plan.edits if blobs[edit.path] != edit.blob_sha]

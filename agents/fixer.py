"""Fixer's steps: turn the remedy into a plan with real edits, and take back a fix that did not help."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from agents.config import CONFIG_PATH, Autonomy, load
from agents.errors import ConfigError, RemedyError
from agents.guardrail import decide, reverted_commit
from agents.incident import Agent, Incident, Stage
from agents.markdown import plain
from agents.plan import Decision, FileEdit, Outcome, Plan, Remedy, RevertCommit, Risk
from agents.plans import make_plan
from agents.policy import Facts, risk
from agents.ports import ForgeReader, Now, RepoFile, Step
from agents.remedies.build import build, check
from agents.remedies.diff import unified
from agents.remedies.undo import undo
from agents.results import escalate
from agents.writes import ProposeChange, Topic


@dataclass(frozen=True)
class _Made:
    """A plan with what the configuration on its base says: the decision about it, and how far it may go."""

    plan: Plan
    decision: Decision
    autonomy: Autonomy


def fixer(forge: ForgeReader, now: Now) -> Step:
    """Build the step for `acting` and `reverting`."""

    async def fix(incident: Incident) -> Incident:
        if incident.stage is Stage.REVERTING:
            return await _take_back(incident, forge, now())
        return await _act(incident, forge, now())

    return fix


async def _act(incident: Incident, forge: ForgeReader, at: datetime) -> Incident:
    """Return the incident with a plan on the head of the default branch, which is proposed, or in a dry run shown."""
    if incident.remedy is None:
        return escalate(incident, Agent.FIXER, "There is no remedy to carry out.", at)
    try:
        made = await _plan(incident, incident.remedy, forge, at)
    except (RemedyError, ConfigError) as error:
        return escalate(incident, Agent.FIXER, f"The fix could not be made: {error}.", at)
    decided = incident.evolve(decision=made.decision)
    match made.autonomy:
        case Autonomy.PROPOSE | Autonomy.APPROVE:
            return _proposed(decided, made.plan, at)
        case Autonomy.DRY_RUN | Autonomy.OBSERVE:  # policy has denied `observe` by now
            return _shown(decided, made.plan, at)
        case _:
            assert_never(made.autonomy)


def _proposed(incident: Incident, plan: Plan, at: datetime) -> Incident:
    """Return the incident waiting for the pull request of `plan`."""
    note = f"Plan {plan.id}: {plan.title}. It edits {_listed(plan.edits)}."
    proposed = incident.move(
        Stage.PROPOSING, Agent.FIXER, note, at, plan=plan, pull_request=None, approvals=(), merge=None
    )
    return proposed.send(ProposeChange(key=f"propose:{plan.id}"))


def _shown(incident: Incident, plan: Plan, at: datetime) -> Incident:
    """Return the incident handed to people, who are shown `plan`. No branch, pull request or check is asked for."""
    note = f"Dry run: a pull request “{plan.title}” would have been opened, and nothing was changed."
    return escalate(incident.evolve(dry_run_plan=plan), Agent.FIXER, note, at, topic=Topic.DRY_RUN)


async def _plan(incident: Incident, remedy: Remedy, forge: ForgeReader, at: datetime) -> _Made:
    """Return the plan for the incident's remedy; policy is asked again about the commit it is based on."""
    base = await forge.default_branch(incident.repo)
    config, config_sha = await load(forge, incident.repo, base[1])
    commit = await reverted_commit(incident, forge)
    decision = decide(incident, config, at, commit)
    service = config.service(remedy.service)
    if decision.outcome is Outcome.DENY or service is None:
        raise RemedyError(decision.reason.rstrip("."))
    edits = await build(remedy, forge, incident.repo, base[1])
    level, _ = risk(Facts(incident, remedy, config, service, commit, at))
    plan = make_plan(
        incident,
        edits,
        remedy=remedy,
        risk=level,
        base=base,
        diff=await _diff(incident, edits, forge, base[1]),
        config_sha=config_sha,
        now=at,
    )
    return _Made(plan, decision, config.autonomy)


async def _take_back(incident: Incident, forge: ForgeReader, at: datetime) -> Incident:
    """Return the incident handed to people, with a pull request that undoes what our fix changed, if it can be."""
    why = incident.timeline[-1].note if incident.timeline else "The fix did not help."
    if incident.plan is None or incident.merge is None:
        return escalate(incident, Agent.FIXER, f"{why} There is no merged fix to take back.", at)
    try:
        plan = await _revert_plan(incident, incident.plan, incident.merge.sha, forge, at)
    except RemedyError as error:
        return escalate(incident, Agent.FIXER, f"{why} It could not be taken back: {error}.", at)
    note = f"{why} A pull request that takes it back follows; people decide about it."
    handed = escalate(incident.evolve(revert_plan=plan), Agent.FIXER, note, at)
    return handed.send(ProposeChange(key=f"propose:{plan.id}", revert=True))


async def _revert_plan(incident: Incident, fix: Plan, merge_sha: str, forge: ForgeReader, at: datetime) -> Plan:
    """Return the plan that brings the files of `fix` back to how they were before it."""
    base = await forge.default_branch(incident.repo)
    config = await forge.file(incident.repo, CONFIG_PATH, base[1])  # a fix is taken back whatever it says now
    edits: list[FileEdit] = []
    for made in fix.edits:
        before = await forge.file(incident.repo, made.path, fix.base_sha)
        current = await forge.file(incident.repo, made.path, base[1])
        edit = undo(made.path, before=before, after=_written(made), current=current)
        edits += [edit] if edit else []
    if not edits:
        raise RemedyError("its changes are already gone from the default branch")
    check(tuple(edits))
    return make_plan(
        incident,
        tuple(edits),
        remedy=RevertCommit(service=fix.remedy.service, sha=merge_sha, title=fix.title),
        risk=Risk.LOW,
        base=base,
        diff=await _diff(incident, tuple(edits), forge, base[1]),
        config_sha=config.blob_sha if config else "",
        now=at,
    )


def _written(edit: FileEdit) -> RepoFile | None:
    """Return the file as our fix left it."""
    return None if edit.content is None else RepoFile(path=edit.path, blob_sha="", content=edit.content)


async def _diff(incident: Incident, edits: tuple[FileEdit, ...], forge: ForgeReader, base_sha: str) -> str:
    """Return the unified diff of `edits` against the base; each file must still be the one that was read before."""
    before: dict[str, str] = {}
    for edit in edits:
        file = await forge.file(incident.repo, edit.path, base_sha)
        if (file.blob_sha if file else None) != edit.blob_sha:
            raise RemedyError(f"{plain(edit.path)} is not the file that was read before")
        if file is not None:
            before[edit.path] = file.content
    return unified(edits, before)


def _listed(edits: tuple[FileEdit, ...]) -> str:
    names = [plain(edit.path) for edit in edits]
    shown = 3
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")

"""Which remedy a diagnosis calls for, or why none can be chosen."""

import math

from agents.config import Knob, RepoConfig
from agents.diagnosis import CauseKind, Diagnosis, SuspectChange, Verdict
from agents.errors import RemedyError
from agents.incident import RepoRef
from agents.markdown import plain
from agents.plan import RaiseLimit, Remedy, RevertCommit
from agents.ports import Case, ForgeReader
from agents.rca.parameters import DEFAULTS
from agents.rca.resources import demand, pool_of
from agents.rca.view import view_of
from agents.remedies.settings_file import read_number
from agents.suspect import still_there
from telemetry.model import EvidenceBundle, Frozen

HEADROOM = 1.5
"""A limit is set to this many times the demand that was seen: used to two thirds, a pool rarely queues."""
WITHOUT_DEMAND = 2.0
"""A limit of which no demand is known is at most doubled (design.md, section 4)."""


class Choice(Frozen):
    """A remedy, or None; `reason` says in plain words why this one, or why none."""

    remedy: Remedy | None = None
    reason: str


async def choose(
    diagnosis: Diagnosis, bundle: EvidenceBundle, config: RepoConfig, forge: ForgeReader, repo: RepoRef
) -> Choice:
    """Return the remedy for a diagnosis.

    A limit that is reached is raised, when the configuration names a knob for that cause, unless the last deploy had
    lowered it. What a suspect commit broke is reverted. An inconclusive diagnosis gets no remedy.
    """
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        return Choice(reason="No change is proposed: the evidence does not decide what the cause is.")
    _, head = await forge.default_branch(repo)
    knob = knob_for(config, diagnosis.service, diagnosis.kind)
    raises_limit = diagnosis.kind is CauseKind.DB_POOL_EXHAUSTION
    if knob is not None and raises_limit and not await _lowered(diagnosis, bundle, knob, forge, repo):
        return await raise_knob(knob, diagnosis, bundle, forge, repo, head)
    if diagnosis.suspect is not None and (not raises_limit or knob is not None):
        return await revert(diagnosis.suspect, diagnosis.service, forge, repo, head)
    if knob is not None:
        return await raise_knob(knob, diagnosis, bundle, forge, repo, head)
    what = f"{plain(diagnosis.service)} has no knob for {diagnosis.kind}"
    if config.service(diagnosis.service) is None:
        what = f"{plain(diagnosis.service)} is not in the configuration"
    return Choice(reason=f"No change is proposed: {what}, and no commit is suspected.")


async def renew(
    case: Case, diagnosis: Diagnosis, bundle: EvidenceBundle, config: RepoConfig, forge: ForgeReader, repo: RepoRef
) -> Choice:
    """Return the remembered remedy for the incident at hand, or why its preconditions no longer hold.

    A limit is computed anew from the evidence; a revert fits only the same commit, while it is still there.
    """
    problem = _unlike(case, diagnosis)
    if problem:
        return Choice(reason=problem)
    if isinstance(case.remedy, RevertCommit):
        suspect, sha = diagnosis.suspect, case.remedy.sha
        if suspect is None or suspect.sha != sha:
            return Choice(reason=f"commit {sha[:9]}, which was reverted then, is not the suspect now")
        _, head = await forge.default_branch(repo)
        return await revert(suspect, diagnosis.service, forge, repo, head)
    _, head = await forge.default_branch(repo)
    knob = knob_for(config, case.remedy.service, diagnosis.kind)
    if knob is None or (knob.file, knob.path) != (case.remedy.file, case.remedy.path):
        return Choice(reason=f"the knob {plain(case.remedy.knob)} is no longer in the configuration")
    return await raise_knob(knob, diagnosis, bundle, forge, repo, head)


def _unlike(case: Case, diagnosis: Diagnosis) -> str:
    """Return why the incident at hand is another one than the remembered case, or an empty string."""
    if diagnosis.verdict is Verdict.INCONCLUSIVE:
        return "the evidence does not decide what the cause is"
    if (diagnosis.service, diagnosis.kind) != (case.service, case.kind):
        return f"this time the evidence speaks for {diagnosis.kind} in {plain(diagnosis.service)}"
    return ""


def knob_for(config: RepoConfig, service: str, kind: CauseKind) -> Knob | None:
    """Return the first knob of `service` that is declared to remedy this kind of fault."""
    declared = config.service(service)
    knobs = declared.knobs if declared else ()
    return next((knob for knob in knobs if kind in knob.remedies), None)


async def raise_knob(
    knob: Knob, diagnosis: Diagnosis, bundle: EvidenceBundle, forge: ForgeReader, repo: RepoRef, head: str
) -> Choice:
    """Return the remedy that raises `knob` from what the file says at `head`, or why it cannot be raised."""
    place = f"{plain(knob.path)} in {plain(knob.file)}"
    file = await forge.file(repo, knob.file, head)
    if file is None:
        return Choice(reason=f"{plain(knob.file)} does not exist on the default branch, so {place} cannot be raised.")
    try:
        current = read_number(file.content, knob.file, knob.path)
    except RemedyError as error:
        return Choice(reason=str(error))
    if current >= knob.maximum:
        return Choice(reason=f"{place} is {current} already, and its declared maximum is {knob.maximum}.")
    pool = pool_of(bundle, diagnosis.service) if diagnosis.kind is CauseKind.DB_POOL_EXHAUSTION else None
    if pool is not None and pool.limit is not None and pool.limit < current:
        return Choice(
            reason=f"{place} is {current}, but what runs has {pool.limit:.0f}: that change is not deployed yet."
        )
    wanted = demand(bundle, diagnosis.service) if pool else None
    target, reason = target_of(current, knob.maximum, wanted)
    remedy = RaiseLimit(
        service=diagnosis.service,
        knob=knob.name,
        file=knob.file,
        path=knob.path,
        current=current,
        target=target,
        maximum=knob.maximum,
    )
    return Choice(remedy=remedy, reason=f"{place} goes from {current} to {target}: {reason}.")


def target_of(current: int, maximum: int, wanted_now: tuple[float, str] | None) -> tuple[int, str]:
    """Return the new limit, above `current` and at most `maximum`, and how it was found.

    With a demand, and the words for it, it is 1.5 times that, rounded up; else twice the current limit.
    """
    if wanted_now is None:
        wanted, reason = math.ceil(WITHOUT_DEMAND * current), f"{WITHOUT_DEMAND:g} times what it is"
    else:
        value, why = wanted_now
        wanted = math.ceil(round(HEADROOM * value, 6))
        reason = f"{why}; {HEADROOM:g} times that is {wanted}"
    target = max(current + 1, min(maximum, wanted))
    if target < wanted:
        reason += f", and the declared maximum is {maximum}"
    elif target > wanted:
        reason += ", so one more than now is tried"
    return target, reason


async def revert(suspect: SuspectChange, service: str, forge: ForgeReader, repo: RepoRef, head: str) -> Choice:
    """Return the remedy that reverts the suspect commit of a service, or why it cannot be reverted."""
    problem = await still_there(suspect.sha, forge, repo, head)
    if problem:
        return Choice(reason=f"No change is proposed: {problem}.")
    remedy = RevertCommit(service=service, sha=suspect.sha, title=suspect.title)
    return Choice(remedy=remedy, reason=f"Commit {suspect.sha[:9]} is reverted: {suspect.reason}.")


async def _lowered(diagnosis: Diagnosis, bundle: EvidenceBundle, knob: Knob, forge: ForgeReader, repo: RepoRef) -> bool:
    """Return whether the last deploy before the fault lowered the knob: then raising it again is not the point."""
    deploy = view_of(bundle, DEFAULTS).recent_change(diagnosis.service)
    if diagnosis.suspect is None or deploy is None or not (deploy.revision_before and deploy.revision_after):
        return False
    then = await _value(knob, forge, repo, deploy.revision_before)
    now = await _value(knob, forge, repo, deploy.revision_after)
    return then is not None and now is not None and now < then


async def _value(knob: Knob, forge: ForgeReader, repo: RepoRef, ref: str) -> int | None:
    file = await forge.file(repo, knob.file, ref)
    if file is None:
        return None
    try:
        return read_number(file.content, knob.file, knob.path)
    except RemedyError:
        return None

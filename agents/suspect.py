"""The suspect change: which commit between the last good and the current revision explains a fault best."""

import re
from collections.abc import Sequence
from datetime import timedelta

from agents.config import ServiceConfig
from agents.diagnosis import CauseKind, Diagnosis, SuspectChange
from agents.incident import RepoRef
from agents.markdown import plain
from agents.ports import Commit, Comparison, ForgeReader
from agents.rca.errors import dominant_error
from agents.rca.parameters import DEFAULTS
from agents.rca.view import view_of
from agents.touched import Touch, touch
from telemetry.model import EvidenceBundle, Frozen, VersionEvidence

MAX_COMMITS = 30
"""Commits that are looked at, newest first: one call to GitHub each."""
MIN_SCORE = 0.25
"""Less is no more than a file of the repository; it counts only when nothing else was deployed."""

_CAUSED_BY_CHANGES = frozenset(CauseKind) - {CauseKind.NETWORK_DELAY, CauseKind.DEPENDENCY_DOWN, CauseKind.UNKNOWN}
_SQUASHED = re.compile(r"\(#(\d{1,9})\)\s*$")
_MERGED = re.compile(r"^Merge pull request #(\d{1,9}) from ")
_TITLE = 120


class Suspicion(Frozen):
    """A suspect change, or the reason why none is named. `evidence` is the id of the deploy that brought it."""

    change: SuspectChange | None
    reason: str
    evidence: str = ""


async def suspect_change(
    diagnosis: Diagnosis, bundle: EvidenceBundle, forge: ForgeReader, repo: RepoRef, service: ServiceConfig | None
) -> Suspicion:
    """Return the commit, deployed to the culprit shortly before the fault, that explains it best.

    Commits are scored by the files they touch: those in the stack frames of the dominant error (longest common suffix
    of the paths, innermost frame first), settings files where a limit or a delay is the fault, files of the service by
    its `paths`. Documentation and tests never count. `service` is None when the repository's configuration cannot be
    used.
    """
    if diagnosis.kind not in _CAUSED_BY_CHANGES:
        return Suspicion(change=None, reason="this kind of fault does not come from a change of the code")
    deploy = view_of(bundle, DEFAULTS).recent_change(diagnosis.service)
    if deploy is None:
        minutes = timedelta(seconds=DEFAULTS.recent_change_s) // timedelta(minutes=1)
        return Suspicion(change=None, reason=f"nothing was deployed to it in the {minutes} minutes before")
    commits, problem = await _deployed(deploy, forge, repo)
    if not commits:
        return Suspicion(change=None, reason=problem, evidence=deploy.id)
    return _pick(commits, deploy, diagnosis, bundle, service)


async def _deployed(deploy: VersionEvidence, forge: ForgeReader, repo: RepoRef) -> tuple[list[Commit], str]:
    """Return the commits of a deploy with their files, newest first, or why there are none."""
    before, after = deploy.revision_before, deploy.revision_after
    if before is None or after is None:
        return [], "telemetry does not tell the commits of the deploy (vcs.ref.head.revision)"
    comparison: Comparison | None = await forge.compare(repo, before, after)
    if comparison is None:
        return [], "the deployed revisions are not in this repository"
    if comparison.status in {"identical", "behind"}:
        return [], "the deploy went back to an older commit"
    newest = list(reversed(comparison.commits))[:MAX_COMMITS]
    found = [await forge.commit(repo, commit.sha) for commit in newest]
    return [commit for commit in found if commit is not None], "the deploy brought no commits"


def _pick(
    commits: list[Commit],
    deploy: VersionEvidence,
    diagnosis: Diagnosis,
    bundle: EvidenceBundle,
    service: ServiceConfig | None,
) -> Suspicion:
    error = dominant_error(bundle, diagnosis.service)
    frames = error.frames if error else ()
    touches = {
        commit.sha: touch(commit, frames, diagnosis.kind, diagnosis.service, service)
        for commit in commits
        if len(commit.parents) < 2  # noqa: PLR2004 - a merge shows the same files again and cannot be reverted
    }
    scored = [(found.score, -age, commit, found) for age, commit, found in _with_age(commits, touches)]
    best = max(scored, key=lambda entry: entry[:2], default=None)
    alone = len(scored) == 1 and diagnosis.kind is not CauseKind.DB_POOL_EXHAUSTION
    if best is None or (best[0] < MIN_SCORE and not alone):
        return Suspicion(change=None, reason="no deployed commit touches what fails", evidence=deploy.id)
    score, _, commit, found = best
    rivals = sum(1 for other in scored if other[0] == score) - 1
    words = [found.reason, f"came with the deploy of {diagnosis.service} just before the fault"]
    if alone:
        words.append("it is the only commit of that deploy which can matter")
    elif rivals:
        words.append(f"it is the newest of {rivals + 1} commits that fit equally")
    change = SuspectChange(
        sha=commit.sha,
        title=plain(commit.message.partition("\n")[0], _TITLE),
        author=plain(commit.author, _TITLE),
        path=found.path,
        reason=", ".join(words),
        pull_request=pull_request(commit, commits),
    )
    return Suspicion(change=change, reason=change.reason, evidence=deploy.id)


def _with_age(commits: list[Commit], touches: dict[str, Touch]) -> list[tuple[int, Commit, Touch]]:
    """Return the commits that touch anything which can matter, each with its place from the newest on."""
    return [(age, commit, touches[commit.sha]) for age, commit in enumerate(commits) if _matters(touches, commit)]


def _matters(touches: dict[str, Touch], commit: Commit) -> bool:
    return commit.sha in touches and touches[commit.sha].score > 0


def pull_request(commit: Commit, deployed: Sequence[Commit]) -> int | None:
    """Return the number of the pull request that brought `commit`: from its title, or from the merge above it."""
    squashed = _SQUASHED.search(commit.message.partition("\n")[0])
    if squashed:
        return int(squashed[1])
    by_sha = {found.sha: found for found in deployed}
    for merge in sorted(deployed, key=lambda found: found.committed_at):
        named = _MERGED.match(merge.message)
        if named and len(merge.parents) > 1 and commit.sha in _line(merge.parents[1], by_sha):
            return int(named[1])
    return None


def _line(sha: str, by_sha: dict[str, Commit]) -> set[str]:
    """Return the commits from `sha` back along first parents, as far as they are known."""
    seen: set[str] = set()
    while sha in by_sha and sha not in seen:
        seen.add(sha)
        sha = next(iter(by_sha[sha].parents), "")
    return seen


async def still_there(sha: str, forge: ForgeReader, repo: RepoRef, head: str) -> str | None:
    """Return why reverting `sha` on top of `head` makes no sense (gone, or reverted already), or None if it does."""
    comparison = await forge.compare(repo, sha, head)
    if comparison is None or comparison.status not in {"ahead", "identical"}:
        return f"commit {sha[:9]} is not on the default branch"
    if any(f"This reverts commit {sha}" in commit.message for commit in comparison.commits):
        return f"commit {sha[:9]} is reverted already, which is not deployed yet"
    return None

"""Whether a pull request can be merged, and what is missing."""

from dataclasses import dataclass

from infra.sandbox.github.git import history
from infra.sandbox.github.git.merging import merged_tree
from infra.sandbox.github.git.model import FileChange
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.records.checks import Protection
from infra.sandbox.github.records.work import Issue, Pull, ReviewState
from infra.sandbox.github.site import Site

PASSED = {"success", "neutral", "skipped"}


@dataclass(frozen=True)
class Verdict:
    """GitHub's `mergeable` and `mergeable_state`, and what branch protection still misses."""

    mergeable: bool | None
    state: str
    missing: tuple[str, ...] = ()


UNKNOWN = Verdict(mergeable=None, state="unknown")
"""Closed, or not computed yet: GitHub computes in the background and says so at first."""


async def compared(site: Site, pull: Pull) -> tuple[list[str], list[FileChange]]:
    """The pull request's commits (oldest first) and its changes since the merge base."""
    base = pull.base_sha
    if pull.merged_at is None:
        base = await site.git.resolve(f"refs/heads/{pull.base_ref}") or base
    fork = await history.merge_base(site.git, base, pull.head_sha)
    span = f"{fork}..{pull.head_sha}" if fork else pull.head_sha
    shas = await history.log(site.git, span, "--reverse", "--topo-order")
    return shas, await history.changes(site.git, fork, pull.head_sha)


def protection_of(site: Site, branch: str) -> Protection | None:
    """The protection of a branch, or None."""
    return site.store.protections.first(lambda row: row.branch == branch)


async def judge(site: Site, issue: Issue, pull: Pull) -> Verdict:
    """The state of the merge right now."""
    if issue.state == "closed":
        return UNKNOWN
    base = await site.git.resolve(f"refs/heads/{pull.base_ref}")
    if base is None or await merged_tree(site.git, base, pull.head_sha) is None:
        return Verdict(mergeable=False, state="dirty")
    if pull.draft:
        return Verdict(mergeable=True, state="draft")
    rule = protection_of(site, pull.base_ref)
    missing = (*missing_reviews(site, issue, rule), *missing_checks(site, pull, rule)) if rule else ()
    if missing:
        return Verdict(mergeable=True, state="blocked", missing=missing)
    if rule and rule.strict and not await history.is_ancestor(site.git, base, pull.head_sha):
        return Verdict(mergeable=True, state="behind", missing=("The head branch is not up to date.",))
    passed = all(check_outcomes(site, pull.head_sha).values())
    return Verdict(mergeable=True, state="clean" if passed else "unstable")


def check_outcomes(site: Site, sha: str) -> dict[str, bool | None]:
    """The latest outcome of each check and status on a commit: passed, failed, or None while it runs."""
    outcomes: dict[str, bool | None] = {}
    for run in site.store.check_runs.where(lambda row: row.head_sha == sha):
        outcomes[run.name] = run.conclusion in PASSED if run.status == "completed" else None
    for status in site.store.statuses.where(lambda row: row.sha == sha):
        outcomes[status.context] = None if status.state == "pending" else status.state == "success"
    return outcomes


def missing_checks(site: Site, pull: Pull, rule: Protection) -> tuple[str, ...]:
    """GitHub's sentences about required checks that have not passed."""
    outcomes = check_outcomes(site, pull.head_sha)
    left = [name for name in rule.required_checks if not outcomes.get(name)]
    if len(left) > 1:
        return (f"{len(left)} of {len(rule.required_checks)} required status checks have not succeeded.",)
    words = {None: "is expected", False: "is failing"}
    return tuple(f'Required status check "{name}" {words[outcomes.get(name)]}.' for name in left)


def missing_reviews(site: Site, issue: Issue, rule: Protection) -> tuple[str, ...]:
    """GitHub's sentence about approvals that are missing."""
    if not rule.required_approvals:
        return ()
    latest = latest_reviews(site, issue.number)
    if ReviewState.CHANGES_REQUESTED in latest.values():
        return ("Changes have been requested by reviewers with write access.",)
    approvals = sum(state is ReviewState.APPROVED for state in latest.values())
    if approvals >= rule.required_approvals:
        return ()
    count = rule.required_approvals
    subject = "1 approving review is" if count == 1 else f"{count} approving reviews are"
    return (f"At least {subject} required by reviewers with write access.",)


def latest_reviews(site: Site, number: int) -> dict[int, ReviewState]:
    """The opinion each reviewer with write access holds now, by user id; comments change no opinion."""
    latest: dict[int, ReviewState] = {}
    for review in site.store.reviews.where(lambda row: row.number == number):
        reviewer = site.store.users.find(review.user_id)
        if reviewer is None or reviewer.role.rank < Role.WRITE.rank:
            continue
        if review.state not in {ReviewState.COMMENTED, ReviewState.PENDING}:
            latest[review.user_id] = review.state
    return latest

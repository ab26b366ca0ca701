"""Merging a pull request, and merging by itself what waited for a check or review."""

from typing import Literal

from infra.sandbox.github.domain import pushes
from infra.sandbox.github.domain.idents import ident_of, web_flow
from infra.sandbox.github.errors import ApiError
from infra.sandbox.github.git import history, merging
from infra.sandbox.github.git.merging import Merger
from infra.sandbox.github.git.model import ZERO_SHA
from infra.sandbox.github.mergeability import judge, protection_of
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.records.work import Issue, Pull
from infra.sandbox.github.site import Actor, Site

Method = Literal["merge", "squash", "rebase"]


def require_method(site: Site, method: Method) -> None:
    """Raises 405 when the repository does not allow the method."""
    row = site.repository
    allowed = {
        "merge": (row.allow_merge_commit, "Merge commits are not allowed on this repository."),
        "squash": (row.allow_squash_merge, "Squash merges are not allowed on this repository."),
        "rebase": (row.allow_rebase_merge, "Rebase merges are not allowed on this repository."),
    }
    ok, message = allowed[method]
    if not ok:
        raise ApiError(405, message)


async def merge_pull(
    site: Site,
    actor: Actor,
    issue: Issue,
    method: Method,
    expected_sha: str | None = None,
    title: str | None = None,
    message: str | None = None,
) -> str:
    """Merges and returns the sha that the base branch now has; raises GitHub's 405 and 409."""
    pull = issue.pull
    if pull is None or issue.state == "closed":
        raise ApiError(405, "Pull Request is not mergeable")
    if expected_sha and expected_sha != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    if pull.draft:
        raise ApiError(405, "Pull Request is still a draft")
    require_method(site, method)
    verdict = await judge(site, issue, pull)
    if not verdict.mergeable:
        raise ApiError(405, "Pull Request is not mergeable")
    if verdict.missing and not _overrides(site, actor, pull):
        raise ApiError(405, " ".join(verdict.missing))
    base = await site.git.resolve(f"refs/heads/{pull.base_ref}") or ZERO_SHA
    sha = await _commit(site, actor, issue, pull, base, method, title, message)
    if sha is None:
        raise ApiError(405, "Pull Request is not mergeable")
    ref = f"refs/heads/{pull.base_ref}"
    await site.git.update_ref(ref, sha, base)
    await pushes.mark_merged(site, actor, issue, sha)
    await pushes.moved(site, actor, ref, base, sha)
    await _delete_head(site, actor, pull)
    return sha


def _overrides(site: Site, actor: Actor, pull: Pull) -> bool:
    rule = protection_of(site, pull.base_ref)
    return actor.user.role is Role.ADMIN and rule is not None and not rule.enforce_admins


async def _commit(
    site: Site,
    actor: Actor,
    issue: Issue,
    pull: Pull,
    base: str,
    method: Method,
    title: str | None,
    message: str | None,
) -> str | None:
    who = Merger(ident_of(actor.user), web_flow())
    if method == "merge":
        head_line = title or f"Merge pull request #{issue.number} from {site.owner.login}/{pull.head_ref}"
        body = issue.title if message is None else message
        return await merging.merge(site.git, base, pull.head_sha, _join(head_line, body), who)
    if method == "squash":
        shas = await history.log(site.git, f"{base}..{pull.head_sha}", "--reverse", "--topo-order")
        commits = await history.commits(site.git, shas)
        first = commits[0].message.partition("\n") if len(commits) == 1 else (issue.title, "", "")
        listed = first[2].strip() if len(commits) == 1 else "\n\n".join(f"* {row.message.strip()}" for row in commits)
        head_line = title or f"{first[0]} (#{issue.number})"
        author = Merger(ident_of(site.store.users.get(issue.user_id)), who.committer)
        body = listed if message is None else message
        return await merging.squash(site.git, base, pull.head_sha, _join(head_line, body), author)
    return await merging.rebase(site.git, base, pull.head_sha, who)


def _join(title: str, body: str) -> str:
    return f"{title}\n\n{body}" if body else title


async def _delete_head(site: Site, actor: Actor, pull: Pull) -> None:
    if not site.repository.delete_branch_on_merge:
        return
    ref = f"refs/heads/{pull.head_ref}"
    await site.git.update_ref(ref, ZERO_SHA, pull.head_sha)
    await pushes.moved(site, actor, ref, pull.head_sha, ZERO_SHA)


async def merge_waiting(site: Site) -> None:
    """Merges the pull requests that have a standing order and now lack nothing."""
    for issue in site.store.issues.where(lambda row: row.pull is not None and row.state == "open"):
        order = issue.pull.auto_merge if issue.pull else None
        if issue.pull is None or order is None:
            continue
        verdict = await judge(site, issue, issue.pull)
        if verdict.mergeable and not verdict.missing and not issue.pull.draft:
            actor = Actor(site.store.users.get(order.user_id))
            await merge_pull(site, actor, issue, order.method, None, order.title or None, order.message or None)

"""What a moved branch sets off: push events, pull requests that follow, merges noticed, issues closed."""

from typing import Any

from infra.sandbox.github import clock, events
from infra.sandbox.github.domain import issues
from infra.sandbox.github.domain.closing import closes
from infra.sandbox.github.git import history
from infra.sandbox.github.git.model import ZERO_SHA, CommitObject
from infra.sandbox.github.mergeability import protection_of
from infra.sandbox.github.records.work import Issue, ReviewState
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views.accounts import Json
from infra.sandbox.github.views.commits import account_of, git_user
from infra.sandbox.github.views.repos import push_repository

MAX_COMMITS = 2048


async def moved(site: Site, actor: Actor, ref: str, before: str, after: str) -> None:
    """Announces that a ref moved (40 zeros: was made or deleted) and brings pull requests up to date."""
    site.store.repositories.put(site.repository.evolve(pushed_at=clock.now_iso()))
    added = await _added(site, before, after)
    await _announce(site, actor, ref, before, after, added)
    branch = ref.removeprefix("refs/heads/")
    if branch == ref:
        return
    for issue in site.store.issues.where(lambda row: row.pull is not None and row.state == "open"):
        await _follow(site, actor, issue, branch, after)
    if branch == site.repository.default_branch:
        for commit in added:
            await close_mentioned(site, actor, commit.message, commit.sha)


async def _added(site: Site, before: str, after: str) -> list[CommitObject]:
    """The commits that came with a push, oldest first."""
    if after == ZERO_SHA:
        return []
    span = f"{before}..{after}"
    if before == ZERO_SHA:
        fork = await history.merge_base(site.git, f"refs/heads/{site.repository.default_branch}", after)
        span = f"{fork}..{after}" if fork else after
    shas = await history.log(site.git, span, "--reverse", "--topo-order", f"--max-count={MAX_COMMITS}")
    return await history.commits(site.git, shas)


async def _announce(site: Site, actor: Actor, ref: str, before: str, after: str, added: list[CommitObject]) -> None:
    created, deleted = before == ZERO_SHA, after == ZERO_SHA
    forced = not (created or deleted) and not await history.is_ancestor(site.git, before, after)
    commits = [await _push_commit(site, commit) for commit in added]
    head = None
    if not deleted and await site.git.object_type(after) == "commit":
        head = commits[-1] if commits else await _push_commit(site, await site.git.commit(after))
    span = after[:12] if created else f"{before[:12]}...{after[:12]}"
    body: dict[str, Any] = {
        "ref": ref,
        "before": before,
        "after": after,
        "base_ref": None,
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "compare": f"{site.repo_html}/compare/{span}",
        "commits": commits,
        "head_commit": head,
        "pusher": {"name": actor.user.login, "email": actor.user.email},
        "repository": push_repository(site),
    }
    events.emit(site, "push", actor, body)


async def _push_commit(site: Site, commit: CommitObject) -> Json:
    changed = await history.changes(site.git, commit.parents[0] if commit.parents else None, commit.sha)
    people: Json = {}
    for key, ident in (("author", commit.author), ("committer", commit.committer)):
        account = account_of(site, ident)
        person = {**git_user(ident), **({"username": account.login} if account else {})}
        people[key] = person
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": commit.committer.when.isoformat(),
        "url": f"{site.repo_html}/commit/{commit.sha}",
        **people,
        "added": [change.path for change in changed if change.status in {"added", "copied", "renamed"}],
        "removed": [
            change.previous_path or change.path for change in changed if change.status in {"removed", "renamed"}
        ],
        "modified": [change.path for change in changed if change.status in {"modified", "changed"}],
    }


async def _follow(site: Site, actor: Actor, issue: Issue, branch: str, after: str) -> None:
    pull = issue.pull
    if pull is None:
        return
    if pull.base_ref == branch and after != ZERO_SHA:
        if await history.is_ancestor(site.git, pull.head_sha, after):
            await mark_merged(site, actor, issue, after)
    elif pull.head_ref == branch and after == ZERO_SHA:
        await issues.close(site, actor, issue)
    elif pull.head_ref == branch and after != pull.head_sha:
        await _synchronize(site, actor, issue, after)


async def _synchronize(site: Site, actor: Actor, issue: Issue, after: str) -> None:
    if issue.pull is None:
        return
    before = issue.pull.head_sha
    base = await site.git.resolve(f"refs/heads/{issue.pull.base_ref}") or issue.pull.base_sha
    # An order to merge by itself does not survive a push by somebody else; the stand-in drops it always.
    pull = issue.pull.model_copy(update={"head_sha": after, "base_sha": base, "auto_merge": None})
    await site.git.run("update-ref", f"refs/pull/{issue.number}/head", after)
    changed = issues.save(site, issue, pull=pull)
    rule = protection_of(site, pull.base_ref)
    if rule and rule.dismiss_stale_reviews:
        for review in site.store.reviews.where(lambda row: row.number == issue.number):
            if review.state is ReviewState.APPROVED:
                dismissed = site.store.reviews.put(review.evolve(state=ReviewState.DISMISSED))
                events.review_event(site, actor, "dismissed", dismissed, changed, pull)
    await events.pull_event(site, actor, "synchronize", changed, pull, before=before, after=after)


async def mark_merged(site: Site, actor: Actor, issue: Issue, merge_sha: str) -> Issue:
    """The pull request as merged; announces it and closes the issues it says it closes."""
    if issue.pull is None:
        return issue
    now = clock.now_iso()
    pull = issue.pull.model_copy(
        update={"merged_at": now, "merged_by": actor.user.id, "merge_commit_sha": merge_sha, "auto_merge": None}
    )
    merged = issues.save(site, issue, state="closed", closed_at=now, closed_by=actor.user.id, pull=pull)
    issues.note(site, actor, merged, "merged", merge_sha)
    issues.note(site, actor, merged, "closed", state_reason=None)
    await events.pull_event(site, actor, "closed", merged, pull)
    if pull.base_ref == site.repository.default_branch:
        await close_mentioned(site, actor, f"{merged.title}\n{merged.body or ''}", merge_sha)
    return merged


async def close_mentioned(site: Site, actor: Actor, text: str, sha: str) -> None:
    """Closes the open issues that the text says it closes."""
    for number in closes(text, site.full_name):
        found = site.store.issues.first(lambda row, wanted=number: row.number == wanted)
        if found and found.pull is None and found.state == "open":
            await issues.close(site, actor, found, commit_id=sha)

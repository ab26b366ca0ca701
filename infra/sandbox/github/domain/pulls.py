"""Opening and changing pull requests, and their reviews."""

from infra.sandbox.github import clock, events
from infra.sandbox.github.domain import issues
from infra.sandbox.github.errors import ApiError, invalid, refused
from infra.sandbox.github.git import history
from infra.sandbox.github.records.work import Issue, Pull, Review, ReviewState
from infra.sandbox.github.site import Actor, Site

REVIEW_EVENTS = {
    "APPROVE": ReviewState.APPROVED,
    "REQUEST_CHANGES": ReviewState.CHANGES_REQUESTED,
    "COMMENT": ReviewState.COMMENTED,
}


async def open_pull(
    site: Site, actor: Actor, title: str, body: str | None, head: str, base: str, *, draft: bool = False
) -> Issue:
    """A new pull request, announced; raises GitHub's 422 sentences when it cannot be."""
    branch = await _head_branch(site, head)
    head_sha = await site.git.resolve(f"refs/heads/{branch}")
    base_sha = await site.git.resolve(f"refs/heads/{base}")
    if head_sha is None:
        raise invalid("PullRequest", "head")
    if base_sha is None:
        raise invalid("PullRequest", "base")
    label = f"{site.owner.login}:{branch}"
    if open_pull_of(site, branch, base):
        raise refused("PullRequest", f"A pull request already exists for {label}.")
    if await history.merge_base(site.git, base_sha, head_sha) is None:
        raise refused("PullRequest", f"The {branch} branch has no history in common with {base}")
    if await history.is_ancestor(site.git, head_sha, base_sha):
        raise refused("PullRequest", f"No commits between {base} and {branch}")
    pull = Pull(
        id=site.store.next_id(),
        head_ref=branch,
        head_sha=head_sha,
        base_ref=base,
        base_sha=base_sha,
        draft=draft,
    )
    issue = issues.create(site, actor, title, body, pull=pull)
    await site.git.run("update-ref", f"refs/pull/{issue.number}/head", head_sha)
    await events.pull_event(site, actor, "opened", issue, pull)
    return issue


async def _head_branch(site: Site, head: str) -> str:
    owner, colon, branch = head.partition(":")
    if not colon:
        return head
    if owner.lower() != site.owner.login.lower():
        raise invalid("PullRequest", "head")
    return branch


def open_pull_of(site: Site, branch: str, base: str) -> Issue | None:
    """The open pull request from a branch into a base, or None."""
    return site.store.issues.first(
        lambda row: (
            row.pull is not None and row.state == "open" and (row.pull.head_ref, row.pull.base_ref) == (branch, base)
        )
    )


async def change_base(site: Site, actor: Actor, issue: Issue, pull: Pull, base: str) -> Issue:
    """The pull request with another base, announced as edited."""
    base_sha = await site.git.resolve(f"refs/heads/{base}")
    if base_sha is None:
        raise invalid("PullRequest", "base")
    changes = {"base": {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}}
    moved = pull.model_copy(update={"base_ref": base, "base_sha": base_sha})
    changed = issues.save(site, issue, pull=moved)
    await events.pull_event(site, actor, "edited", changed, moved, changes=changes)
    return changed


async def reopen(site: Site, actor: Actor, issue: Issue, pull: Pull) -> Issue:
    """The pull request open again; raises 422 when it was merged or its branch is gone."""
    if pull.merged_at:
        raise refused("PullRequest", "state cannot be changed. The pull request cannot be reopened.")
    head = await site.git.resolve(f"refs/heads/{pull.head_ref}")
    if head is None:
        raise refused("PullRequest", f"state cannot be changed. The {pull.head_ref} branch has been deleted.")
    current = issues.save(site, issue, pull=pull.model_copy(update={"head_sha": head}))
    return await issues.reopen(site, actor, current)


def review(site: Site, actor: Actor, issue: Issue, event: str | None, body: str, commit_id: str | None) -> Review:
    """A new review, announced unless it is still pending; nobody approves their own pull request."""
    if issue.pull is None:
        raise ApiError(404, "Not Found")
    state = ReviewState.PENDING if event is None else REVIEW_EVENTS[event]
    own = issue.user_id == actor.user.id
    if own and state in {ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED}:
        verb = "approve" if state is ReviewState.APPROVED else "request changes on"
        raise ApiError(422, "Unprocessable Entity", [f"Can not {verb} your own pull request"])
    if state in {ReviewState.CHANGES_REQUESTED, ReviewState.COMMENTED} and not body:
        raise ApiError(422, "Unprocessable Entity", ["body can't be blank"])
    row = site.store.reviews.put(
        Review(
            id=site.store.next_id(),
            number=issue.number,
            user_id=actor.user.id,
            state=state,
            body=body,
            commit_id=commit_id or issue.pull.head_sha,
            submitted_at=None if state is ReviewState.PENDING else clock.now_iso(),
        )
    )
    if state is not ReviewState.PENDING:
        waiting = [person for person in issue.pull.requested_reviewers if person != actor.user.id]
        pull = issue.pull.model_copy(update={"requested_reviewers": waiting})
        events.review_event(site, actor, "submitted", row, issues.save(site, issue, pull=pull), pull)
    return row


def dismiss(site: Site, actor: Actor, issue: Issue, row: Review, message: str) -> Review:
    """The review, dismissed and announced."""
    if issue.pull is None or row.state not in {ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED}:
        raise ApiError(422, "Can not dismiss a commented pull request review")
    before = row.state.value.lower()
    dismissed = site.store.reviews.put(row.evolve(state=ReviewState.DISMISSED))
    data = {"state": before, "review_id": row.id, "dismissal_message": message}
    issues.note(site, actor, issue, "review_dismissed", dismissed_review=data)
    events.review_event(site, actor, "dismissed", dismissed, issue, issue.pull)
    return dismissed

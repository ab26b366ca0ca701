"""The timeline of an issue or pull request, put together from its parts."""

from infra.sandbox.github.clock import iso
from infra.sandbox.github.git import history
from infra.sandbox.github.mergeability import compared
from infra.sandbox.github.records.work import Issue
from infra.sandbox.github.site import Site
from infra.sandbox.github.views import issues, pulls
from infra.sandbox.github.views.accounts import Json
from infra.sandbox.github.views.commits import git_commit


async def of_issue(site: Site, issue: Issue) -> list[Json]:
    """Events, comments, commits and reviews in the order of their times."""
    events = site.store.timeline.where(lambda row: row.number == issue.number)
    comments = site.store.comments.where(lambda row: row.number == issue.number)
    dated: list[tuple[str, int, Json]] = [
        *((row.created_at, row.id, issues.timeline_event(site, row)) for row in events),
        *((row.created_at, row.id, issues.timeline_comment(site, row)) for row in comments),
    ]
    for review in site.store.reviews.where(lambda row: row.number == issue.number):
        if review.submitted_at:
            view = {**pulls.review(site, review), "event": "reviewed"}
            view["state"] = view["state"].lower()
            dated.append((review.submitted_at, review.id, view))
    if issue.pull:
        shas, _ = await compared(site, issue.pull)
        for commit in await history.commits(site.git, shas):
            view = {**git_commit(site, commit), "event": "committed"}
            dated.append((iso(commit.committer.when), 0, view))
    return [view for _, _, view in sorted(dated, key=lambda row: row[:2])]

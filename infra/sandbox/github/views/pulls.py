"""Pull requests and reviews as JSON."""

from infra.sandbox.github.mergeability import Verdict, compared, judge
from infra.sandbox.github.records.work import AutoMerge, Issue, Pull, Review
from infra.sandbox.github.site import Site
from infra.sandbox.github.views.accounts import Json, node_id, user, user_by_id
from infra.sandbox.github.views.issues import author_association, labels
from infra.sandbox.github.views.repos import repository


def _side(site: Site, ref: str, sha: str) -> Json:
    return {
        "label": f"{site.owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(site, site.owner),
        "repo": repository(site),
    }


def _auto_merge(site: Site, order: AutoMerge | None) -> Json | None:
    if order is None:
        return None
    return {
        "enabled_by": user_by_id(site, order.user_id),
        "merge_method": order.method,
        "commit_title": order.title,
        "commit_message": order.message,
    }


def _links(site: Site, number: int, sha: str) -> dict[str, str]:
    api, issue = f"{site.repo_api}/pulls/{number}", f"{site.repo_api}/issues/{number}"
    return {
        "self": api,
        "html": f"{site.repo_html}/pull/{number}",
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{api}/comments",
        "review_comment": f"{site.repo_api}/pulls/comments{{/number}}",
        "commits": f"{api}/commits",
        "statuses": f"{site.repo_api}/statuses/{sha}",
    }


def pull_simple(site: Site, row: Issue, pull: Pull) -> Json:
    """A `pull-request-simple`."""
    links = _links(site, row.number, pull.head_sha)
    return {
        **{f"{key}_url": url for key, url in links.items() if key != "self"},
        "url": links["self"],
        "diff_url": f"{links['html']}.diff",
        "patch_url": f"{links['html']}.patch",
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "number": row.number,
        "state": row.state,
        "locked": False,
        "active_lock_reason": None,
        "title": row.title,
        "user": user_by_id(site, row.user_id),
        "body": row.body,
        "labels": labels(site, row),
        "milestone": None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "closed_at": row.closed_at,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": user_by_id(site, row.assignees[0]) if row.assignees else None,
        "assignees": [user_by_id(site, assignee) for assignee in row.assignees],
        "requested_reviewers": [user_by_id(site, person) for person in pull.requested_reviewers],
        "requested_teams": [],
        "head": _side(site, pull.head_ref, pull.head_sha),
        "base": _side(site, pull.base_ref, pull.base_sha),
        "_links": {key: {"href": url} for key, url in links.items()},
        "author_association": author_association(site, row.user_id),
        "auto_merge": _auto_merge(site, pull.auto_merge),
        "draft": pull.draft,
    }


async def pull_full(site: Site, row: Issue, pull: Pull, verdict: Verdict | None = None) -> Json:
    """A `pull-request`, with the state of its merge and the size of its change."""
    verdict = verdict or await judge(site, row, pull)
    shas, changes = await compared(site, pull)
    return {
        **pull_simple(site, row, pull),
        "merged": pull.merged_at is not None,
        "mergeable": verdict.mergeable,
        "rebaseable": verdict.mergeable,
        "mergeable_state": verdict.state,
        "merged_by": user_by_id(site, pull.merged_by),
        "comments": len(site.store.comments.where(lambda comment: comment.number == row.number)),
        "review_comments": 0,
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": len(shas),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def review(site: Site, row: Review) -> Json:
    """A `pull-request-review`."""
    html = f"{site.repo_html}/pull/{row.number}#pullrequestreview-{row.id}"
    url = f"{site.repo_api}/pulls/{row.number}"
    body: Json = {
        "id": row.id,
        "node_id": node_id("PRR", row.id),
        "user": user_by_id(site, row.user_id),
        "body": row.body,
        "state": row.state.value,
        "html_url": html,
        "pull_request_url": url,
        "author_association": author_association(site, row.user_id),
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "commit_id": row.commit_id,
    }
    if row.submitted_at:
        body["submitted_at"] = row.submitted_at
    return body

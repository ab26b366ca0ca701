"""Issues, comments, labels, reactions and timeline events as JSON."""

from typing import get_args

from infra.sandbox.github.records.work import Comment, Issue, Label, Reaction, ReactionContent, TimelineEvent
from infra.sandbox.github.site import Site
from infra.sandbox.github.views.accounts import Json, app_by_id, node_id, user_by_id
from infra.sandbox.github.views.repos import repository

NEVER_SET: Json = {"locked": False, "active_lock_reason": None, "milestone": None}
"""The sandbox locks nothing and has no milestones."""


def label(site: Site, row: Label) -> Json:
    """A `label`."""
    return {
        "id": row.id,
        "node_id": node_id("LA", row.id),
        "url": f"{site.repo_api}/labels/{row.name}",
        "name": row.name,
        "color": row.color,
        "default": row.default,
        "description": row.description,
    }


def labels(site: Site, issue: Issue) -> list[Json]:
    """The labels of an issue."""
    rows = (site.store.labels.find(label_id) for label_id in issue.labels)
    return [label(site, row) for row in rows if row]


def reaction(site: Site, row: Reaction) -> Json:
    """A `reaction`."""
    return {
        "id": row.id,
        "node_id": node_id("REA", row.id),
        "user": user_by_id(site, row.user_id),
        "content": row.content,
        "created_at": row.created_at,
    }


def rollup(site: Site, subject: str, url: str) -> Json:
    """A `reaction-rollup`."""
    rows = site.store.reactions.where(lambda row: row.subject == subject)
    counts = {name: sum(row.content == name for row in rows) for name in get_args(ReactionContent)}
    return {"url": f"{url}/reactions", "total_count": len(rows), **counts}


def author_association(site: Site, user_id: int) -> str:
    """What the author is to the repository."""
    account = site.store.users.find(user_id)
    return account.association if account else "NONE"


def issue(site: Site, row: Issue) -> Json:
    """An `issue`; pull requests are issues with a `pull_request` object."""
    url = f"{site.repo_api}/issues/{row.number}"
    kind = "pull" if row.pull else "issues"
    body: Json = {
        "url": url,
        "repository_url": site.repo_api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": f"{site.repo_html}/{kind}/{row.number}",
        "id": row.id,
        "node_id": node_id("I", row.id),
        "number": row.number,
        "title": row.title,
        "user": user_by_id(site, row.user_id),
        "labels": labels(site, row),
        "state": row.state,
        "state_reason": row.state_reason,
        **NEVER_SET,
        "assignee": user_by_id(site, row.assignees[0]) if row.assignees else None,
        "assignees": [user_by_id(site, assignee) for assignee in row.assignees],
        "comments": len(site.store.comments.where(lambda comment: comment.number == row.number)),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "closed_at": row.closed_at,
        "author_association": author_association(site, row.user_id),
        "body": row.body,
        "reactions": rollup(site, f"issue:{row.number}", url),
        "performed_via_github_app": app_by_id(site, row.app_id),
    }
    return {**body, **_pull_part(site, row)} if row.pull else body


def _pull_part(site: Site, row: Issue) -> Json:
    """What an issue that is a pull request says of it."""
    html = f"{site.repo_html}/pull/{row.number}"
    links = {"html_url": html, "diff_url": f"{html}.diff", "patch_url": f"{html}.patch"}
    url = f"{site.repo_api}/pulls/{row.number}"
    merged_at = row.pull.merged_at if row.pull else None
    return {
        "draft": row.pull is not None and row.pull.draft,
        "pull_request": {"url": url, **links, "merged_at": merged_at},
    }


def full_issue(site: Site, row: Issue) -> Json:
    """An `issue` asked for by itself, which also says who closed it."""
    return {**issue(site, row), "closed_by": user_by_id(site, row.closed_by)}


def found_issue(site: Site, row: Issue) -> Json:
    """An `issue-search-result-item`."""
    return {**issue(site, row), "repository": repository(site), "score": 1.0}


def comment(site: Site, row: Comment) -> Json:
    """An `issue-comment`."""
    on = site.store.issue(row.number)
    url = f"{site.repo_api}/issues/comments/{row.id}"
    kind = "pull" if on.pull else "issues"
    return {
        "url": url,
        "html_url": f"{site.repo_html}/{kind}/{row.number}#issuecomment-{row.id}",
        "issue_url": f"{site.repo_api}/issues/{row.number}",
        "id": row.id,
        "node_id": node_id("IC", row.id),
        "user": user_by_id(site, row.user_id),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "author_association": author_association(site, row.user_id),
        "body": row.body,
        "reactions": rollup(site, f"comment:{row.id}", url),
        "performed_via_github_app": app_by_id(site, row.app_id),
    }


def timeline_comment(site: Site, row: Comment) -> Json:
    """A comment as it stands in the timeline."""
    return {**comment(site, row), "event": "commented", "actor": user_by_id(site, row.user_id)}


def timeline_event(site: Site, row: TimelineEvent) -> Json:
    """An event of the timeline."""
    sha = row.commit_id
    return {
        "id": row.id,
        "node_id": node_id("EV", row.id),
        "url": f"{site.repo_api}/issues/events/{row.id}",
        "actor": user_by_id(site, row.actor_id),
        "event": row.event,
        "commit_id": sha,
        "commit_url": f"{site.repo_api}/commits/{sha}" if sha else None,
        "created_at": row.created_at,
        "performed_via_github_app": app_by_id(site, row.app_id),
        **row.data,
    }

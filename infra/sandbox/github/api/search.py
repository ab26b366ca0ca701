"""Searching issues and pull requests, by the qualifiers that a bot uses."""

from fastapi import APIRouter, Request, Response

from infra.sandbox.github.api.deps import ActorDep, SiteDep, counted
from infra.sandbox.github.errors import ApiError
from infra.sandbox.github.permissions import require
from infra.sandbox.github.records.work import Issue
from infra.sandbox.github.searching import Candidate, Query, parse_query
from infra.sandbox.github.site import Site
from infra.sandbox.github.views.issues import found_issue

router = APIRouter()


@router.get("/search/issues")
async def search_issues(request: Request, site: SiteDep, actor: ActorDep, q: str = "") -> Response:
    """What matches all qualifiers and words, newest first."""
    if not q.strip():
        raise ApiError(422, "Validation Failed", [{"resource": "Search", "field": "q", "code": "missing"}])
    if actor.is_app:
        raise ApiError(403, "Resource not accessible by integration")
    require(site, actor, "read", "issues", "pull_requests")
    query = parse_query(q)
    rows = [issue for issue in site.store.issues if _matches(site, query, issue)]
    if request.query_params.get("order", "desc") == "desc":
        rows.reverse()
    return counted(
        request, "items", rows, lambda row: found_issue(site, row), incomplete_results=False, search_type="lexical"
    )


def _matches(site: Site, query: Query, issue: Issue) -> bool:
    labels = [site.store.labels.get(label_id) for label_id in issue.labels]
    comments = site.store.comments.where(lambda row: row.number == issue.number)
    texts = {"title": issue.title, "body": issue.body or ""}
    candidate = Candidate(
        repository=site.full_name,
        owner=site.owner.login,
        is_pull=issue.pull is not None,
        is_merged=issue.pull is not None and issue.pull.merged_at is not None,
        state=issue.state,
        author=site.store.users.get(issue.user_id).login,
        labels={label.name for label in labels},
        texts={**texts, "comments": "\n".join(comment.body for comment in comments)},
        head=issue.pull.head_ref if issue.pull else "",
        base=issue.pull.base_ref if issue.pull else "",
    )
    return query.matches(candidate)

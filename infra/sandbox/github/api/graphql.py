"""The two GraphQL mutations a bot needs, for which REST has no equivalent: auto-merge on and off."""

import json
import re
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from infra.sandbox.github import clock, events
from infra.sandbox.github.api.deps import ActorDep, SiteDep, reply
from infra.sandbox.github.domain import issues
from infra.sandbox.github.errors import not_found
from infra.sandbox.github.mergeability import judge
from infra.sandbox.github.permissions import may
from infra.sandbox.github.records.work import AutoMerge, Issue, Pull
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views.accounts import node_id

router = APIRouter()

ENABLE, DISABLE = "enablePullRequestAutoMerge", "disablePullRequestAutoMerge"


class GraphQuery(BaseModel):
    """A GraphQL request."""

    query: str
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@router.post("/graphql")
async def graphql(body: GraphQuery, site: SiteDep, actor: ActorDep) -> Response:
    """Auto-merge on or off; 404 to any other query. The selection is fixed, not read from the query."""
    mutation = next((name for name in (ENABLE, DISABLE) if name in body.query), None)
    if mutation is None:
        raise not_found()
    given = body.query + json.dumps(body.variables)
    found = _pull_named(site, given)
    if found is None:
        return _failed("NOT_FOUND", "Could not resolve to a node with the global id.", mutation)
    issue, pull = found
    if not may(site, actor, "write", "pull_requests") or not may(site, actor, "write", "contents"):
        return _failed("FORBIDDEN", "Resource not accessible by integration", mutation)
    if mutation == DISABLE:
        pull = await _disable(site, actor, issue, pull)
    else:
        refusal = await _refusal(site, issue, pull)
        if refusal:
            return _failed("UNPROCESSABLE", refusal, mutation)
        pull = await _enable(site, actor, issue, pull, given)
    order = {"enabledAt": clock.now_iso(), "mergeMethod": pull.auto_merge.method.upper()} if pull.auto_merge else None
    view = {"id": node_id("PR", pull.id), "number": issue.number, "autoMergeRequest": order}
    return reply({"data": {mutation: {"clientMutationId": None, "pullRequest": view}}})


def _failed(kind: str, message: str, mutation: str) -> Response:
    return reply({"data": {mutation: None}, "errors": [{"type": kind, "path": [mutation], "message": message}]})


def _pull_named(site: Site, text: str) -> tuple[Issue, Pull] | None:
    for issue in site.store.issues:
        if issue.pull and f'"{node_id("PR", issue.pull.id)}"' in text:
            return issue, issue.pull
    return None


async def _refusal(site: Site, issue: Issue, pull: Pull) -> str | None:
    """GitHub only takes the order while something still stands in the way of a merge."""
    if not site.repository.allow_auto_merge:
        return "Auto merge is not allowed for this repository"
    state = (await judge(site, issue, pull)).state
    if issue.state == "closed" or state in {"clean", "unstable", "dirty", "draft"}:
        return f"Pull request Pull request is in {state} status"
    return None


async def _enable(site: Site, actor: Actor, issue: Issue, pull: Pull, given: str) -> Pull:
    method = re.search(r'mergeMethod"?\s*:\s*"?(MERGE|SQUASH|REBASE)', given)
    title = re.search(r'commitHeadline"\s*:\s*("(?:[^"\\]|\\.)*")', given)
    message = re.search(r'commitBody"\s*:\s*("(?:[^"\\]|\\.)*")', given)
    order = AutoMerge.model_validate(
        {
            "user_id": actor.user.id,
            "method": method[1].lower() if method else "merge",
            "title": json.loads(title[1]) if title else "",
            "message": json.loads(message[1]) if message else "",
        }
    )
    ordered = pull.model_copy(update={"auto_merge": order})
    changed = issues.save(site, issue, pull=ordered)
    await events.pull_event(site, actor, "auto_merge_enabled", changed, ordered)
    return ordered


async def _disable(site: Site, actor: Actor, issue: Issue, pull: Pull) -> Pull:
    if pull.auto_merge is None:
        return pull
    cleared = pull.model_copy(update={"auto_merge": None})
    changed = issues.save(site, issue, pull=cleared)
    await events.pull_event(site, actor, "auto_merge_disabled", changed, cleared, reason="Turned off")
    return cleared

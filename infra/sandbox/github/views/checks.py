"""Check runs, statuses and branch protection as JSON."""

from collections.abc import Sequence
from urllib.parse import quote

from infra.sandbox.github.records.checks import CheckRun, CommitStatus, Protection
from infra.sandbox.github.site import Site
from infra.sandbox.github.views.accounts import Json, app_by_id, node_id, user_by_id
from infra.sandbox.github.views.repos import minimal_repository


def check_run(site: Site, row: CheckRun) -> Json:
    """A `check-run`."""
    url = f"{site.repo_api}/check-runs/{row.id}"
    html_url = f"{site.repo_html}/runs/{row.id}"
    return {
        "id": row.id,
        "name": row.name,
        "node_id": node_id("CR", row.id),
        "head_sha": row.head_sha,
        "external_id": row.external_id or "",
        "url": url,
        "html_url": html_url,
        "details_url": row.details_url or html_url,
        "status": row.status,
        "conclusion": row.conclusion,
        "started_at": row.started_at,
        "completed_at": row.completed_at,
        "output": {
            "title": row.title,
            "summary": row.summary,
            "text": row.text,
            "annotations_count": len(row.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": row.suite_id},
        "app": app_by_id(site, row.app_id),
        "pull_requests": [
            {
                "id": issue.pull.id,
                "number": issue.number,
                "url": f"{site.repo_api}/pulls/{issue.number}",
                "head": _end(site, issue.pull.head_ref, issue.pull.head_sha),
                "base": _end(site, issue.pull.base_ref, issue.pull.base_sha),
            }
            for issue in site.store.issues
            if issue.pull and issue.state == "open" and issue.pull.head_sha == row.head_sha
        ],
    }


def annotation(site: Site, run: CheckRun, row: Json) -> Json:
    """A `check-annotation`."""
    absent = dict.fromkeys(("start_column", "end_column", "title", "raw_details"))
    return {**absent, **row, "blob_href": f"{site.repo_html}/blob/{run.head_sha}/{quote(row['path'])}"}


def _end(site: Site, ref: str, sha: str) -> Json:
    repo = {"id": site.repository.id, "url": site.repo_api, "name": site.repository.name}
    return {"ref": ref, "sha": sha, "repo": repo}


def webhook_check_run(site: Site, row: CheckRun) -> Json:
    """A check run as its webhook writes it: with the whole suite."""
    view = check_run(site, row)
    suite: Json = {
        "id": row.suite_id,
        "node_id": node_id("CS", row.suite_id),
        "head_branch": _branch_of(site, row.head_sha),
        "head_sha": row.head_sha,
        "status": row.status,
        "conclusion": row.conclusion,
        "url": f"{site.repo_api}/check-suites/{row.suite_id}",
        "before": None,
        "after": None,
        "pull_requests": view["pull_requests"],
        "app": view["app"],
        "created_at": row.started_at,
        "updated_at": row.completed_at or row.started_at,
    }
    return {**view, "check_suite": suite}


def _branch_of(site: Site, sha: str) -> str | None:
    found = site.store.issues.first(lambda issue: issue.pull is not None and issue.pull.head_sha == sha)
    return found.pull.head_ref if found and found.pull else None


def status(site: Site, row: CommitStatus) -> Json:
    """A `status`."""
    creator = user_by_id(site, row.creator_id)
    return {
        "url": f"{site.repo_api}/statuses/{row.sha}",
        "avatar_url": creator["avatar_url"] if creator else None,
        "id": row.id,
        "node_id": node_id("SC", row.id),
        "state": row.state,
        "description": row.description,
        "target_url": row.target_url,
        "context": row.context,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "creator": creator,
    }


def combined_status(site: Site, sha: str, rows: Sequence[CommitStatus]) -> Json:
    """A `combined-commit-status` over the latest status of each context."""
    states = {row.state for row in rows}
    state = "success" if states == {"success"} else "pending"
    if states & {"error", "failure"}:
        state = "failure"
    return {
        "state": state,
        "statuses": [status(site, row) for row in rows],
        "sha": sha,
        "total_count": len(rows),
        "repository": minimal_repository(site),
        "commit_url": f"{site.repo_api}/commits/{sha}",
        "url": f"{site.repo_api}/commits/{sha}/status",
    }


def protection(site: Site, row: Protection) -> Json:
    """A `branch-protection`, as `GET …/protection` gives it."""
    url = f"{site.repo_api}/branches/{row.branch}/protection"
    body: Json = {
        "url": url,
        "required_signatures": {"url": f"{url}/required_signatures", "enabled": False},
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": row.enforce_admins},
        "required_linear_history": {"enabled": False},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
        "block_creations": {"enabled": False},
        "required_conversation_resolution": {"enabled": False},
        "lock_branch": {"enabled": False},
        "allow_fork_syncing": {"enabled": False},
    }
    if row.required_checks:
        checks = f"{url}/required_status_checks"
        body["required_status_checks"] = {
            "url": checks,
            "strict": row.strict,
            "contexts": row.required_checks,
            "contexts_url": f"{checks}/contexts",
            "checks": [{"context": context, "app_id": None} for context in row.required_checks],
        }
    if row.required_approvals:
        body["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": row.dismiss_stale_reviews,
            "require_code_owner_reviews": False,
            "require_last_push_approval": False,
            "required_approving_review_count": row.required_approvals,
        }
    return body


def protection_summary(row: Protection | None) -> Json:
    """The short form of a branch's protection, which anyone who can read may see."""
    contexts = row.required_checks if row else []
    level = "off" if not contexts else ("everyone" if row and row.enforce_admins else "non_admins")
    checks = {
        "enforcement_level": level,
        "contexts": contexts,
        "checks": [{"context": context, "app_id": None} for context in contexts],
    }
    return {"enabled": row is not None, "required_status_checks": checks}

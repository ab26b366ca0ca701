"""The repository as JSON, in GitHub's three lengths."""

import calendar
from typing import Any

from infra.sandbox.github import clock
from infra.sandbox.github.records.accounts import Role
from infra.sandbox.github.site import Site
from infra.sandbox.github.views.accounts import Json, node_id, role_permissions, user

REPO_LINKS = {
    "url": "",
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def minimal_repository(site: Site) -> Json:
    """A `minimal-repository`."""
    row = site.repository
    return {
        "id": row.id,
        "node_id": node_id("R", row.id),
        "name": row.name,
        "full_name": site.full_name,
        "owner": user(site, site.owner),
        "private": row.private,
        "html_url": site.repo_html,
        "description": row.description,
        "fork": False,
        **{key: f"{site.repo_api}{suffix}" for key, suffix in REPO_LINKS.items()},
    }


def repository(site: Site) -> Json:
    """A `repository`, as it stands in webhooks, pull requests and tokens."""
    row = site.repository
    open_issues = len(site.store.issues.where(lambda issue: issue.state == "open"))
    return {
        **minimal_repository(site),
        "git_url": f"{site.repo_html}.git",
        "ssh_url": f"git@localhost:{site.full_name}.git",
        "clone_url": f"{site.repo_html}.git",
        "svn_url": site.repo_html,
        "mirror_url": None,
        "homepage": None,
        "language": "Python",
        "license": None,
        "topics": [],
        "size": 0,
        **dict.fromkeys(("forks_count", "forks", "stargazers_count", "watchers_count", "watchers"), 0),
        "open_issues_count": open_issues,
        "open_issues": open_issues,
        "default_branch": row.default_branch,
        "is_template": False,
        "has_issues": True,
        **dict.fromkeys(("has_projects", "has_wiki", "has_pages", "has_downloads", "has_discussions"), False),
        "archived": False,
        "disabled": False,
        "visibility": "private" if row.private else "public",
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "pushed_at": row.pushed_at,
    }


def full_repository(site: Site, role: Role) -> Json:
    """A `full-repository`, as the caller's role sees it."""
    row = site.repository
    return {
        **repository(site),
        "permissions": role_permissions(role),
        "temp_clone_token": None,
        "allow_merge_commit": row.allow_merge_commit,
        "allow_squash_merge": row.allow_squash_merge,
        "allow_rebase_merge": row.allow_rebase_merge,
        "allow_auto_merge": row.allow_auto_merge,
        "allow_update_branch": False,
        "delete_branch_on_merge": row.delete_branch_on_merge,
        "use_squash_pr_title_as_default": False,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE",
        "merge_commit_message": "PR_TITLE",
        "organization": user(site, site.owner),
        "network_count": 0,
        "subscribers_count": 0,
    }


def push_repository(site: Site) -> Json:
    """The repository as push events write it: two times in seconds, and the owner's name."""
    row = site.repository
    owner = {**user(site, site.owner), "name": site.owner.login, "email": site.owner.email}
    extra: dict[str, Any] = {
        "owner": owner,
        "url": site.repo_html,
        "created_at": epoch(row.created_at),
        "pushed_at": epoch(row.pushed_at),
        "stargazers": 0,
        "master_branch": row.default_branch,
        "organization": site.owner.login,
        "custom_properties": {},
    }
    return {**repository(site), **extra}


def epoch(text: str) -> int:
    """An ISO time in whole seconds since 1970."""
    return calendar.timegm(clock.parse(text).utctimetuple())

"""From GitHub's answers to the models of the port; pure."""

from collections.abc import Iterable
from typing import get_args

from agents.ports import (
    CommentState,
    Commit,
    CommitFile,
    Comparison,
    IssueState,
    Permission,
    PullState,
)
from bot.adapters.github import payloads, pull_payloads

GHOST = payloads.User(login="ghost", id=0)
PERMISSIONS: frozenset[str] = frozenset(get_args(Permission))


def commit(found: payloads.Commit) -> Commit:
    """Return a commit; its author is the login, or git's name where GitHub knows no account."""
    named = found.commit.author.name if found.commit.author else ""
    return Commit(
        sha=found.sha,
        message=found.commit.message,
        author=found.author.login if isinstance(found.author, payloads.User) else named,
        committed_at=found.commit.committer.date,
        parents=tuple(parent.sha for parent in found.parents),
        files=tuple(_file(file) for file in found.files),
        url=found.html_url,
    )


def _file(found: payloads.ChangedFile) -> CommitFile:
    return CommitFile(
        path=found.filename, status=found.status, patch=found.patch, previous_path=found.previous_filename
    )


def comparison(found: payloads.Comparison) -> Comparison:
    """Return a comparison."""
    return Comparison.model_validate(
        {
            "status": found.status,
            "commits": tuple(commit(item) for item in found.commits),
            "files": tuple(_file(file) for file in found.files),
        }
    )


def pull(found: pull_payloads.Pull, commits: Iterable[payloads.Commit]) -> PullState:
    """Return a pull request with everybody who authored or committed on its branch."""
    people = [person for item in commits for person in (item.author, item.committer)]
    merged = found.merged or found.merged_at is not None
    return PullState(
        number=found.number,
        url=found.html_url,
        open=found.state == "open",
        merged=merged,
        merge_sha=found.merge_commit_sha if merged else None,
        head_sha=found.head.sha,
        head_ref=found.head.ref,
        base_ref=found.base.ref,
        base_sha=found.base.sha,
        opener=(found.user or GHOST).login,
        pushers=tuple(dict.fromkeys(who.login for who in people if isinstance(who, payloads.User))),
        mergeable_state=found.mergeable_state,
    )


def permission(found: payloads.Permission) -> Permission:
    """Return the role, or for a custom role the right that it is built on."""
    word = found.role_name if found.role_name in PERMISSIONS else found.permission
    for known in get_args(Permission):
        if word == known:
            return known
    return "none"


def comment(found: payloads.Comment) -> CommentState:
    """Return a comment; `by_app` is True when any App wrote it, for itself or for a person."""
    author = found.user or GHOST
    return CommentState(
        id=found.id,
        body=found.body or "",
        author=author.login,
        author_id=author.id,
        author_type=author.type,
        created_at=found.created_at,
        updated_at=found.updated_at,
        by_app=author.type == "Bot" or found.performed_via_github_app is not None,
        url=found.html_url,
    )


def issue(found: payloads.Issue) -> IssueState:
    """Return an issue."""
    author = found.user or GHOST
    return IssueState(
        number=found.number,
        title=found.title,
        body=found.body or "",
        open=found.state == "open",
        author=author.login,
        author_type=author.type,
        labels=tuple(label.name for label in found.labels),
        url=found.html_url,
    )

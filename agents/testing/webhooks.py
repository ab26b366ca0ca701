"""Webhooks as GitHub would send them for what happens in the fake, with the fields that we use.

Source: docs.github.com, "Webhook events and payloads". The contract tests compare them with the sandbox's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agents.incident import RepoRef
from agents.ports import CommentState, IssueState, PullState

Json = dict[str, Any]


@dataclass(frozen=True)
class Hook:
    """One webhook: the event's name and its payload."""

    event: str
    payload: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return event and action, such as `issues.opened`."""
        return f"{self.event}.{self.payload['action']}"


def moment(at: datetime) -> str:
    """Return a time as GitHub writes it: in UTC and whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def account(login: str, user_id: int) -> Json:
    """Return somebody; an App's login ends in `[bot]`."""
    return {"login": login, "id": user_id, "type": "Bot" if login.endswith("[bot]") else "User"}


def around(repo: RepoRef, action: str, sender: Json) -> Json:
    """Return what every webhook of a repository holds."""
    return {
        "action": action,
        "sender": sender,
        "repository": {
            "id": repo.id,
            "name": repo.name,
            "full_name": repo.full_name,
            "owner": {"login": repo.owner, "id": 5, "type": "Organization"},
        },
        "installation": {"id": repo.installation_id},
    }


def issue(found: IssueState, author: Json, opened_at: datetime, updated_at: datetime) -> Json:
    """Return an issue."""
    return {
        "number": found.number,
        "title": found.title,
        "body": found.body,
        "state": "open" if found.open else "closed",
        "user": author,
        "labels": [{"id": 1, "name": name} for name in found.labels],
        "html_url": found.url,
        "created_at": moment(opened_at),
        "updated_at": moment(updated_at),
    }


def issue_of_pull(found: PullState, title: str, body: str, author: Json, at: datetime) -> Json:
    """Return a pull request as the issue that it also is."""
    return {
        "number": found.number,
        "title": title,
        "body": body,
        "state": "open" if found.open else "closed",
        "user": author,
        "labels": [],
        "html_url": found.url,
        "created_at": moment(at),
        "updated_at": moment(at),
        "pull_request": {"html_url": found.url},
    }


def comment(found: CommentState, author: Json) -> Json:
    """Return a comment."""
    return {
        "id": found.id,
        "body": found.body,
        "user": author,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "html_url": found.url,
    }


def pull(found: PullState, author: Json, at: datetime) -> Json:
    """Return a pull request."""
    return {**reviewed_pull(found, author, at), "merged": found.merged}


def reviewed_pull(found: PullState, author: Json, at: datetime) -> Json:
    """Return a pull request as the webhooks of its reviews show it: its times tell whether it was merged."""
    return {
        "number": found.number,
        "state": "open" if found.open else "closed",
        "merge_commit_sha": found.merge_sha,
        "merged_at": moment(at) if found.merged else None,
        "user": author,
        "html_url": found.url,
        "head": {"sha": found.head_sha, "ref": found.head_ref},
        "base": {"sha": found.base_sha, "ref": found.base_ref},
    }

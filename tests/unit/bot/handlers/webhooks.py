"""Webhooks as GitHub sends them, with fields that are not used, read the way a worker reads them."""

import json
from typing import Any

from agents.testing.github import REPO
from bot.events import Event, read_event

MARIA = {"login": "maria", "id": 1, "type": "User", "site_admin": False}
BOT = {"login": "sre-space[bot]", "id": 99, "type": "Bot"}
WHEN = "2026-03-02T09:40:00Z"


def webhook(event: str, action: str, *, sender: dict[str, Any] = MARIA, **fields: Any) -> Event:
    """Return the event of a webhook."""
    owner = {"login": REPO.owner, "id": 5, "type": "Organization"}
    payload = {
        "action": action,
        "sender": sender,
        "repository": {"id": REPO.id, "name": REPO.name, "owner": owner, "private": True},
        "installation": {"id": REPO.installation_id, "node_id": "x"},
        **fields,
    }
    found = read_event(event, action, json.dumps(payload))
    assert found is not None
    return found


def issue(number: int = 7, **fields: Any) -> dict[str, Any]:
    """Return an issue opened by Maria."""
    return {
        "number": number,
        "title": "It is slow",
        "body": None,
        "state": "open",
        "user": MARIA,
        "labels": [],
        "html_url": f"https://github.test/acme/shop/issues/{number}",
        "created_at": WHEN,
        "updated_at": WHEN,
        "locked": False,
        **fields,
    }


def labels(*names: str) -> list[dict[str, Any]]:
    """Return labels."""
    return [{"id": 1, "name": name, "color": "ededed"} for name in names]


def pull(number: int, head: str, **fields: Any) -> dict[str, Any]:
    """Return a pull request."""
    return {"number": number, "merged": False, "merge_commit_sha": None, "head": {"sha": head, "ref": "x"}, **fields}

"""Building webhooks and handing them to every App that wants them."""

from typing import Any

from infra.sandbox.github.deliveries import outgoing
from infra.sandbox.github.records.accounts import Installation, User
from infra.sandbox.github.records.work import Comment, Issue, Pull, Review
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import accounts, issues, pulls
from infra.sandbox.github.views.repos import repository

Json = dict[str, Any]

NEEDS = {
    "issues": "issues",
    "issue_comment": "issues",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "push": "contents",
    "check_run": "checks",
    "status": "statuses",
}
"""The permission without which an App is not told of an event."""


def emit(site: Site, event: str, actor: Actor | User, parts: Json) -> None:
    """Sends an event of the repository to each installation that subscribed to it and may know of it."""
    sender = actor if isinstance(actor, User) else actor.user
    for installation in site.store.installations:
        if event not in installation.events or NEEDS[event] not in installation.permissions:
            continue
        payload = {
            **parts,
            "repository": parts.get("repository") or repository(site),
            "organization": accounts.organization(site),
            "sender": accounts.user(site, sender),
            "installation": {
                "id": installation.id,
                "node_id": accounts.node_id("MDIz", installation.id),
            },
        }
        app = site.store.apps.get(installation.app_id)
        site.dispatcher.post(outgoing(app, event, payload, installation.id, site.repository.id))


def issue_event(site: Site, actor: Actor, action: str, issue: Issue, **extra: Any) -> None:
    """An `issues` event, or a `pull_request` event's caller must use `pull_event`."""
    emit(site, "issues", actor, {"action": action, "issue": issues.full_issue(site, issue), **extra})


def comment_event(site: Site, actor: Actor, action: str, comment: Comment, **extra: Any) -> None:
    """An `issue_comment` event."""
    issue = issues.full_issue(site, site.store.issue(comment.number))
    body = {"action": action, "issue": issue, "comment": issues.comment(site, comment), **extra}
    emit(site, "issue_comment", actor, body)


async def pull_event(site: Site, actor: Actor, action: str, issue: Issue, pull: Pull, **extra: Any) -> None:
    """A `pull_request` event."""
    view = await pulls.pull_full(site, issue, pull)
    body = {"action": action, "number": issue.number, "pull_request": view, **extra}
    emit(site, "pull_request", actor, body)


def review_event(site: Site, actor: Actor, action: str, review: Review, issue: Issue, pull: Pull, **extra: Any) -> None:
    """A `pull_request_review` event."""
    view = pulls.review(site, review)
    view["state"] = view["state"].lower()
    body = {"action": action, "review": view, "pull_request": pulls.pull_simple(site, issue, pull), **extra}
    emit(site, "pull_request_review", actor, body)


def ping(site: Site, installation: Installation) -> None:
    """The `ping` of a new hook and the `installation` event, both sent whatever the App subscribed to."""
    app = site.store.apps.get(installation.app_id)
    hook = {
        "type": "App",
        "id": app.hook.id,
        "name": "web",
        "active": True,
        "events": app.events,
        "config": {"content_type": app.hook.content_type, "insecure_ssl": app.hook.insecure_ssl, "url": app.hook.url},
        "updated_at": app.updated_at,
        "created_at": app.created_at,
        "app_id": app.id,
        "deliveries_url": f"{site.base_url}/app/hook/deliveries",
    }
    zen = "Anything added dilutes everything else."
    site.dispatcher.post(outgoing(app, "ping", {"zen": zen, "hook_id": app.hook.id, "hook": hook}, None, None))
    row = site.repository
    repo = {"id": row.id, "node_id": accounts.node_id("R", row.id), "name": row.name}
    created = {
        "action": "created",
        "installation": accounts.installation(site, installation),
        "repositories": [{**repo, "full_name": site.full_name, "private": row.private}],
        "requester": None,
        "sender": accounts.user(site, site.owner),
    }
    site.dispatcher.post(outgoing(app, "installation", created, installation.id, None))

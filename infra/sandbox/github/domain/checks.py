"""Making and changing check runs."""

from typing import Any

from infra.sandbox.github import clock, events
from infra.sandbox.github.errors import unprocessable
from infra.sandbox.github.records.accounts import App
from infra.sandbox.github.records.checks import CheckRun
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views.checks import webhook_check_run


def create(site: Site, actor: Actor, app: App, sha: str, changes: dict[str, Any]) -> CheckRun:
    """A new check run, announced as created and, when it is born finished, as completed."""
    suite = site.store.check_runs.first(lambda row: (row.app_id, row.head_sha) == (app.id, sha))
    row = CheckRun(
        id=site.store.next_id(),
        suite_id=suite.suite_id if suite else site.store.next_id(),
        app_id=app.id,
        name=str(changes["name"]),
        head_sha=sha,
        started_at=clock.now_iso(),
    )
    stored = site.store.check_runs.put(row.evolve(**_finished(row, changes)))
    _announce(site, actor, "created", stored)
    if stored.status == "completed":
        _announce(site, actor, "completed", stored)
    return stored


def change(site: Site, actor: Actor, row: CheckRun, changes: dict[str, Any]) -> CheckRun:
    """The check run after a change, announced when that completed it."""
    changed = site.store.check_runs.put(row.evolve(**_finished(row, changes)))
    if changed.status == "completed" and row.status != "completed":
        _announce(site, actor, "completed", changed)
    return changed


def _finished(row: CheckRun, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes, with what a conclusion implies: completed, now."""
    merged = dict(changes)
    if "annotations" in merged:
        merged["annotations"] = [*row.annotations, *merged["annotations"]]
    if merged.get("conclusion"):
        merged["status"] = "completed"
        merged.setdefault("completed_at", clock.now_iso())
    elif merged.get("status") == "completed" and row.conclusion is None:
        raise unprocessable('Invalid request.\n\n"conclusion" wasn\'t supplied.')
    elif "status" in merged and merged["status"] != "completed":
        merged |= {"conclusion": None, "completed_at": None}
    return merged


def _announce(site: Site, actor: Actor, action: str, row: CheckRun) -> None:
    events.emit(site, "check_run", actor, {"action": action, "check_run": webhook_check_run(site, row)})

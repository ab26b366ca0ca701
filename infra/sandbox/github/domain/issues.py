"""Opening, changing and closing issues, and the labels and comments on them."""

from collections.abc import Sequence
from typing import Any

from infra.sandbox.github import clock, events
from infra.sandbox.github.records.work import Comment, Issue, Label, Pull, TimelineEvent
from infra.sandbox.github.site import Actor, Site
from infra.sandbox.github.views import issues as views


def next_number(site: Site) -> int:
    """The number of the next issue or pull request."""
    row = site.repository
    number = row.last_number + 1
    site.store.repositories.put(row.evolve(last_number=number))
    return number


def note(site: Site, actor: Actor, issue: Issue, event: str, commit_id: str | None = None, **data: Any) -> None:
    """Writes an event into the timeline."""
    site.store.timeline.put(
        TimelineEvent(
            id=site.store.next_id(),
            number=issue.number,
            event=event,
            actor_id=actor.user.id,
            app_id=actor.app_id,
            created_at=clock.now_iso(),
            commit_id=commit_id,
            data=data,
        )
    )


def save(site: Site, issue: Issue, **changes: Any) -> Issue:
    """Stores a change of an issue and its time."""
    return site.store.issues.put(issue.evolve(**changes, updated_at=clock.now_iso()))


def create(
    site: Site, actor: Actor, title: str, body: str | None, labels: Sequence[str] = (), pull: Pull | None = None
) -> Issue:
    """A new issue (or pull request), not announced yet."""
    now = clock.now_iso()
    return site.store.issues.put(
        Issue(
            id=site.store.next_id(),
            number=next_number(site),
            title=title,
            body=body,
            user_id=actor.user.id,
            app_id=actor.app_id,
            labels=[label_named(site, name).id for name in dict.fromkeys(labels)],
            created_at=now,
            updated_at=now,
            pull=pull,
        )
    )


async def open_issue(site: Site, actor: Actor, title: str, body: str | None, labels: Sequence[str]) -> Issue:
    """A new issue, announced with its labels."""
    issue = create(site, actor, title, body, labels)
    events.issue_event(site, actor, "opened", issue)
    for label_id in issue.labels:
        await _announce_label(site, actor, issue, "labeled", site.store.labels.get(label_id))
    return issue


def label_named(site: Site, name: str) -> Label:
    """The label of that name, in any case; made when there is none, as GitHub does."""
    found = site.store.labels.first(lambda label: label.name.lower() == name.lower())
    return found or site.store.labels.put(Label(id=site.store.next_id(), name=name))


async def set_labels(site: Site, actor: Actor, issue: Issue, names: Sequence[str]) -> Issue:
    """The issue with exactly these labels; each change is announced."""
    wanted = [label_named(site, name).id for name in dict.fromkeys(names)]
    added = [label_id for label_id in wanted if label_id not in issue.labels]
    removed = [label_id for label_id in issue.labels if label_id not in wanted]
    if not added and not removed:
        return issue
    changed = save(site, issue, labels=wanted)
    for action, ids in (("unlabeled", removed), ("labeled", added)):
        for label_id in ids:
            await _announce_label(site, actor, changed, action, site.store.labels.get(label_id))
    return changed


async def _announce_label(site: Site, actor: Actor, issue: Issue, action: str, label: Label) -> None:
    note(site, actor, issue, action, label={"name": label.name, "color": label.color})
    await announce(site, actor, issue, action, label=views.label(site, label))


async def announce(site: Site, actor: Actor, issue: Issue, action: str, **extra: Any) -> None:
    """The webhook of an issue or, when it is one, of a pull request."""
    if issue.pull:
        await events.pull_event(site, actor, action, issue, issue.pull, **extra)
    else:
        events.issue_event(site, actor, action, issue, **extra)


async def edit(site: Site, actor: Actor, issue: Issue, title: str, body: str | None) -> Issue:
    """The issue with a new title or body, announced when something changed."""
    changes: dict[str, Any] = {}
    if title != issue.title:
        changes["title"] = {"from": issue.title}
        note(site, actor, issue, "renamed", rename={"from": issue.title, "to": title})
    if body != issue.body:
        changes["body"] = {"from": issue.body or ""}
    if not changes:
        return issue
    changed = save(site, issue, title=title, body=body)
    await announce(site, actor, changed, "edited", changes=changes)
    return changed


async def close(
    site: Site, actor: Actor, issue: Issue, reason: str = "completed", commit_id: str | None = None
) -> Issue:
    """The issue, closed for a reason."""
    if issue.state == "closed":
        return issue if issue.pull else save(site, issue, state_reason=reason)
    state_reason = None if issue.pull else reason
    closed = save(
        site,
        issue,
        state="closed",
        state_reason=state_reason,
        closed_at=clock.now_iso(),
        closed_by=actor.user.id,
    )
    note(site, actor, closed, "closed", commit_id, state_reason=state_reason)
    await announce(site, actor, closed, "closed")
    return closed


async def reopen(site: Site, actor: Actor, issue: Issue) -> Issue:
    """The issue, open again."""
    if issue.state == "open":
        return issue
    reason = None if issue.pull else "reopened"
    opened = save(site, issue, state="open", state_reason=reason, closed_at=None, closed_by=None)
    note(site, actor, opened, "reopened", state_reason=reason)
    await announce(site, actor, opened, "reopened")
    return opened


def comment(site: Site, actor: Actor, issue: Issue, body: str) -> Comment:
    """A new comment, announced."""
    now = clock.now_iso()
    row = site.store.comments.put(
        Comment(
            id=site.store.next_id(),
            number=issue.number,
            user_id=actor.user.id,
            app_id=actor.app_id,
            body=body,
            created_at=now,
            updated_at=now,
        )
    )
    save(site, issue)
    events.comment_event(site, actor, "created", row)
    return row


def edit_comment(site: Site, actor: Actor, row: Comment, body: str) -> Comment:
    """The comment with a new body, announced."""
    changed = site.store.comments.put(row.evolve(body=body, updated_at=clock.now_iso()))
    if body != row.body:
        events.comment_event(site, actor, "edited", changed, changes={"body": {"from": row.body}})
    return changed


def delete_comment(site: Site, actor: Actor, row: Comment) -> None:
    """Removes a comment and its reactions, and announces it."""
    events.comment_event(site, actor, "deleted", row)
    site.store.comments.delete(row.id)
    for reaction in site.store.reactions.where(lambda other: other.subject == f"comment:{row.id}"):
        site.store.reactions.delete(reaction.id)

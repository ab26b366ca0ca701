"""Deliveries find the incident that they are about, and the handler of their kind."""

import json
from typing import Any

import pytest

from agents.incident import Incident, Stage
from agents.testing.github import REPO
from agents.testing.scenarios import pool_signal
from agents.writes import Reply
from bot.db.rows import InboxRow, Status
from bot.events import IssueCommentEvent, IssuesEvent, PullRequestEvent, PullRequestReviewEvent, Routed, SignalEvent
from bot.handlers.deps import id_of_issue, id_of_signal
from bot.routing import Router
from telemetry.errors import DecodeError
from tests.unit.bot.handlers.webhooks import BOT, MARIA, WHEN, issue, labels, pull
from tests.unit.bot.story import Story

HEAD = "e" * 40


class Known:
    """What is asked of the store: incidents by number and by group."""

    def __init__(self, numbers: dict[tuple[int, int], str], groups: dict[tuple[str, str], str]) -> None:
        self.numbers = numbers
        self.groups = groups

    async def find(self, repo_id: int, number: int) -> str | None:
        """See `Store.find`."""
        return self.numbers.get((repo_id, number))

    async def find_group(self, tenant: str, group_id: str) -> str | None:
        """See `Store.find_group`."""
        return self.groups.get((tenant, group_id))


def router(story: Story, numbers: dict[int, str] | None = None, group: str | None = None) -> Router:
    """Return a router whose store knows these incidents of our repository."""
    signal = pool_signal()
    groups = {(signal.tenant, signal.group_id): group} if group else {}
    known = Known({(REPO.id, number): found for number, found in (numbers or {}).items()}, groups)
    return Router(known, story.deps)  # type: ignore[arg-type]


def row(event: str, action: str | None, payload: str) -> InboxRow:
    """Return a stored delivery."""
    return InboxRow(
        id=1,
        guid="d-1",
        source="github",
        event=event,
        action=action,
        payload=payload,
        status=Status.PENDING,
        attempts=0,
        note="",
        received_at=WHEN,
    )


def hook(event: str, action: str, **fields: Any) -> InboxRow:
    """Return a stored webhook by Maria."""
    payload = {
        "action": action,
        "sender": MARIA,
        "repository": {"id": REPO.id, "name": REPO.name, "owner": {"login": REPO.owner, "id": 5}},
        "installation": {"id": REPO.installation_id},
        **fields,
    }
    return row(event, action, json.dumps(payload))


def comment(number: int = 7, body: str = "hello") -> InboxRow:
    """Return a comment."""
    said = {"id": 5, "body": body, "user": MARIA, "created_at": WHEN}
    return hook("issue_comment", "created", issue=issue(number), comment=said)


def review(number: int = 8, head: str = HEAD) -> InboxRow:
    """Return an approving review."""
    given = {"id": 1, "state": "approved", "user": MARIA, "commit_id": head}
    return hook("pull_request_review", "submitted", review=given, pull_request=pull(number, head))


def closed(number: int = 8) -> InboxRow:
    """Return that a pull request was closed."""
    return hook("pull_request", "closed", pull_request=pull(number, HEAD))


def signalled() -> InboxRow:
    """Return a signal."""
    return row("signal", None, pool_signal().model_dump_json())


@pytest.mark.parametrize(
    ("delivery", "kind", "incident_id"),
    [
        (hook("issues", "closed", issue=issue(7)), IssuesEvent, "seven"),
        (comment(), IssueCommentEvent, "seven"),
        (comment(8), IssueCommentEvent, "eight"),
        (closed(), PullRequestEvent, "eight"),
        (review(), PullRequestReviewEvent, "eight"),
        (comment(9), IssueCommentEvent, None),
        (closed(9), PullRequestEvent, None),
        (review(9), PullRequestReviewEvent, None),
        (signalled(), SignalEvent, "of the group"),
    ],
)
async def test_a_delivery_belongs_to_the_incident_of_its_number_or_group(
    delivery: InboxRow, kind: type, incident_id: str | None
):
    """Issue and pull request have their numbers, a signal has its group."""
    routed = await router(Story(), {7: "seven", 8: "eight"}, "of the group").route(delivery)

    assert isinstance(routed.event, kind)
    assert (routed.row, routed.incident_id) == (delivery, incident_id)


async def test_a_number_of_another_repository_is_another_number():
    """Though it looks the same."""
    story = Story()
    elsewhere = Router(Known({(REPO.id + 1, 7): "seven"}, {}), story.deps)  # type: ignore[arg-type]

    assert (await elsewhere.route(comment())).incident_id is None


async def test_the_first_signal_of_a_group_has_the_id_that_the_group_always_has():
    """So that two of them meet in one lane."""
    assert (await router(Story()).route(signalled())).incident_id == id_of_signal(pool_signal())


async def test_an_unknown_issue_has_the_id_of_what_it_would_open():
    """Its own, unless our App opened it for an incident that does not know its number yet."""
    story = Story()
    ours = f"text\n{story.markers.make('issue', 'inc-1', 'open_issue')}"
    own = id_of_issue(REPO.id, 7)
    cases = [
        (issue(7), own),
        (issue(7, user=BOT), own),
        (issue(7, user=BOT, body="another bot's"), own),
        (issue(7, body=ours), own),
        (issue(7, user=BOT, body=ours), "inc-1"),
        (issue(7, user=BOT, body=f"text\n{story.markers.make('proposal', 'inc-1', 'p')}"), own),
    ]

    for about, expected in cases:
        assert (await router(story).route(hook("issues", "closed", issue=about))).incident_id == expected
    known = await router(story, {7: "seven"}).route(hook("issues", "closed", issue=issue(7, user=BOT, body=ours)))
    assert known.incident_id == "seven"


async def test_what_is_not_used_is_about_nothing_and_changes_nothing():
    """It is no error."""
    found = router(Story(), {7: "seven"})
    unused = hook("issues", "pinned", issue=issue(7))

    routed = await found.route(unused)

    assert routed == Routed(unused, None, None)
    assert await found.handle(None, routed) is None


async def test_what_lacks_a_field_is_told_by_its_name():
    """It fails for good."""
    with pytest.raises(DecodeError, match="issue_comment created: issue: Field required"):
        await router(Story()).route(hook("issue_comment", "created", comment={}))


async def test_each_kind_of_delivery_is_handled_as_such():
    """A comment is answered, a review approves, a close rejects or dismisses, a signal opens or is taken over."""
    story = Story()
    waiting = await story.signalled(pool_signal())
    assert waiting.pull_request is not None
    found = router(story)

    async def after(delivery: InboxRow, before: Incident | None = waiting) -> Incident:
        handled = await found.handle(before, await found.route(delivery))
        assert handled is not None
        return handled

    head, number = waiting.pull_request.head_sha, waiting.pull_request.number
    posted = story.github.says(waiting.issue or 0, "maria", "/help")
    maria = {**MARIA, "id": posted.author_id}
    said = {"id": posted.id, "body": "/help", "user": maria, "created_at": posted.created_at.isoformat()}
    helped = await after(hook("issue_comment", "created", sender=maria, issue=issue(1), comment=said))
    assert any(isinstance(write, Reply) for write in helped.outgoing)
    assert (await after(review(number, head))).stage is Stage.APPROVED
    assert (await after(closed(number))).stage is Stage.ESCALATED
    assert (await after(hook("issues", "closed", issue=issue(1)))).stage is Stage.DISMISSED
    assert (await after(signalled(), None)).stage is Stage.OPENING
    later = pool_signal().model_copy(update={"sequence": 2})
    assert (await after(row("signal", None, later.model_dump_json()))).id == waiting.id
    opened = await after(hook("issues", "opened", issue=issue(9, title="quote", labels=labels("incident"))), None)
    assert (opened.stage, opened.service) == (Stage.OBSERVING, "quote")

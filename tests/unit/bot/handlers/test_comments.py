"""Comments of people on an incident."""

import pytest

from agents.incident import Incident, Stage
from agents.testing.scenarios import pool_signal
from agents.writes import React, Reply
from bot.events import IssueCommentEvent, read_event
from bot.handlers.issue_comment import handle
from tests.unit.bot.handlers.webhooks import BOT, MARIA, WHEN, issue, webhook
from tests.unit.bot.story import Story


def comment(body: str | None, *, sender: dict[str, object] = MARIA, number: int = 1) -> IssueCommentEvent:
    """Return a new comment."""
    said = {"id": 5, "body": body, "user": sender, "created_at": WHEN}
    made = webhook("issue_comment", "created", sender=sender, issue=issue(number), comment=said)
    assert isinstance(made, IssueCommentEvent)
    return made


@pytest.fixture
def story() -> Story:
    """A world in which Maria maintains the shop."""
    return Story()


@pytest.fixture
async def waiting(story: Story) -> Incident:
    """An incident whose fix waits for approval."""
    return await story.signalled(pool_signal())


async def test_a_command_is_answered(story: Story, waiting: Incident):
    """With a reaction, and with words."""
    posted = story.github.says(waiting.issue or 0, "rita", "/status")
    said = comment("/status", sender={"login": "rita", "id": posted.author_id})
    told = said.model_copy(
        update={"comment": said.comment.model_copy(update={"id": posted.id, "created_at": posted.created_at})}
    )

    answered = await handle(waiting, told, story.deps)

    assert answered is not None
    assert any(isinstance(write, React) for write in answered.outgoing)
    assert [write.comment_id for write in answered.outgoing if isinstance(write, Reply)] == [posted.id]


async def test_talk_is_left_alone(story: Story, waiting: Incident):
    """A comment without a command, without a body, or by a bot changes nothing."""
    for said in (comment("looks good"), comment(None), comment("/approve", sender=BOT)):
        assert await handle(waiting, said, story.deps) == waiting
    assert await handle(None, comment("/approve"), story.deps) is None


async def test_an_approval_leads_to_the_merge(story: Story, waiting: Incident):
    """The whole way from a comment to a merge commit that waits for proof."""
    merged = await story.says(waiting, "maria", "/approve")

    assert merged.stage is Stage.VERIFYING
    assert merged.merge is not None
    assert merged.merge.sha == story.shop.head


def test_edited_and_deleted_comments_are_no_events():
    """What was approved cannot be written into an old comment."""
    assert read_event("issue_comment", "edited", "{}") is None
    assert read_event("issue_comment", "deleted", "{}") is None

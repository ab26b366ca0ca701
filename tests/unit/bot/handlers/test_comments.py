"""Comments of people on an incident."""

import pytest

from agents.incident import Incident, Stage
from agents.testing.scenarios import pool_signal
from agents.writes import React, Reply
from bot.events import IssueCommentEvent, read_event
from bot.handlers.issue_comment import handle
from tests.unit.bot.handlers.webhooks import BOT, MARIA, WHEN, issue, webhook
from tests.unit.bot.story import Story


def comment(
    body: str | None,
    *,
    sender: dict[str, object] = MARIA,
    author: object = None,
    number: int = 1,
    comment_id: int = 5,
) -> IssueCommentEvent:
    """Return a new comment, by its sender unless told."""
    said = {"id": comment_id, "body": body, "user": author or sender, "created_at": WHEN}
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


@pytest.mark.parametrize(("author", "sender"), [(BOT, BOT), (BOT, MARIA), (MARIA, BOT)])
async def test_neither_a_bot_nor_its_words_command(
    story: Story, waiting: Incident, author: dict[str, object], sender: dict[str, object]
):
    """Both who wrote the comment and who sent it have to be a person: otherwise it is not even answered."""
    posted = story.github.says(waiting.issue or 0, "maria", "/approve")
    said = comment("/approve", author=author, sender=sender, comment_id=posted.id)

    assert await handle(waiting, said, story.deps) == waiting


async def test_a_comment_of_a_deleted_account_is_a_comment(story: Story, waiting: Incident):
    """GitHub shows its author as a ghost, whose words change nothing."""
    said = comment("It was fine yesterday.")
    ghost = said.model_copy(update={"comment": said.comment.model_copy(update={"user": None})})

    assert await handle(waiting, ghost, story.deps) == waiting


async def test_a_service_is_named_only_while_it_is_asked_for_and_on_the_issue_itself(story: Story, waiting: Incident):
    """A comment on a pull request, or while nobody has asked, moves nothing."""
    asked = waiting.evolve(stage=Stage.AWAITING_INFO, issue=1)

    assert await handle(waiting.evolve(issue=1), comment("it is pricing"), story.deps) == waiting.evolve(issue=1)
    assert await handle(asked, comment("it is pricing", number=2), story.deps) == asked
    named = await handle(asked, comment("it is pricing"), story.deps)

    assert named is not None
    assert (named.stage, named.service) == (Stage.OBSERVING, "pricing")
    assert named.timeline[-1].note == "maria reported a problem with pricing."


async def test_a_command_is_no_name_of_a_service(story: Story, waiting: Incident):
    """While the service is asked for, a command is answered as ever."""
    asked = waiting.evolve(stage=Stage.AWAITING_INFO)
    posted = story.github.says(asked.issue or 0, "rita", "/status quote")
    rita = {"login": "rita", "id": posted.author_id}

    answered = await handle(asked, comment("/status quote", sender=rita, comment_id=posted.id), story.deps)

    assert answered is not None
    assert answered.stage is Stage.AWAITING_INFO
    assert any(isinstance(write, Reply) for write in answered.outgoing)

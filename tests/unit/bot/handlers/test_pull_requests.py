"""What people do to an incident's pull requests, and their reviews."""

import pytest

from agents.incident import Incident, Stage
from agents.stages import ACTS
from agents.testing.builders import BAD_REVISION
from agents.testing.scenarios import pool_signal
from agents.writes import MergePull, PostComment, Topic
from bot.events import PullRequestEvent, PullRequestReviewEvent
from bot.handlers import pull_request, pull_request_review
from tests.unit.bot.handlers.webhooks import BOT, WHEN, pull, webhook
from tests.unit.bot.story import Story


def closed(incident: Incident, number: int | None = None, **fields: object) -> PullRequestEvent:
    """Return that the incident's pull request was closed."""
    ref = incident.pull_request
    assert ref is not None
    made = webhook("pull_request", "closed", pull_request=pull(number or ref.number, ref.head_sha, **fields))
    assert isinstance(made, PullRequestEvent)
    return made


def review(incident: Incident, state: str, *, commit: str | None = None, user: object = None) -> PullRequestReviewEvent:
    """Return a review by Maria of the incident's pull request."""
    ref = incident.pull_request
    assert ref is not None
    person = user or {"login": "maria", "id": 1000, "type": "User"}
    made = webhook(
        "pull_request_review",
        "submitted",
        sender=person,
        review={"id": 1, "state": state, "user": person, "commit_id": commit or ref.head_sha},
        pull_request=pull(ref.number, ref.head_sha),
    )
    assert isinstance(made, PullRequestReviewEvent)
    return made


@pytest.fixture
def story() -> Story:
    """A world in which Maria maintains the shop."""
    return Story()


@pytest.fixture
async def waiting(story: Story) -> Incident:
    """An incident whose fix waits for approval."""
    return await story.signalled(pool_signal())


async def test_a_merge_by_a_person_counts_but_has_to_be_proven(story: Story, waiting: Incident):
    """The incident goes on to verification with that merge."""
    event = closed(waiting, merged=True, merge_commit_sha=BAD_REVISION, merged_at=WHEN)

    merged = await pull_request.handle(waiting, event, story.deps)

    assert merged is not None
    assert merged.stage is Stage.VERIFYING
    assert merged.merge is not None
    assert merged.merge.sha == BAD_REVISION
    assert merged.timeline[-1].note.startswith("maria merged #2")


async def test_a_merge_that_is_known_changes_nothing(story: Story, waiting: Incident):
    """The webhook of our own merge comes when the incident has moved on already."""
    event = closed(waiting, merged=True, merge_commit_sha=BAD_REVISION, merged_at=WHEN)
    merged = await pull_request.handle(waiting, event, story.deps)
    assert merged is not None

    for stage in (Stage.VERIFYING, Stage.LEARNING, Stage.RESOLVED, Stage.ESCALATED):
        later = merged.evolve(stage=stage)
        assert await pull_request.handle(later, event, story.deps) == later


async def test_closing_the_fix_without_a_merge_rejects_it(story: Story, waiting: Incident):
    """People take over; the escalation says who closed it."""
    ended = await pull_request.handle(waiting, closed(waiting), story.deps)

    assert ended is not None
    assert ended.stage is Stage.ESCALATED
    posts = [write for write in ended.outgoing if isinstance(write, PostComment)]
    assert [post.topic for post in posts] == [Topic.ESCALATION]
    assert "maria closed #2" in posts[0].note


async def test_another_pull_request_is_none_of_ours(story: Story, waiting: Incident):
    """Only the incident's own pull requests count."""
    assert await pull_request.handle(waiting, closed(waiting, number=99), story.deps) == waiting
    assert await pull_request.handle(None, closed(waiting), story.deps) is None


async def test_a_push_to_the_fix_is_noted(story: Story, waiting: Incident):
    """What was pushed is no part of the plan, and the incident says so; our own head is no push."""
    ref = waiting.pull_request
    assert ref is not None
    push = webhook("pull_request", "synchronize", pull_request=pull(ref.number, BAD_REVISION))
    same = webhook("pull_request", "synchronize", pull_request=pull(ref.number, ref.head_sha))
    assert isinstance(push, PullRequestEvent)
    assert isinstance(same, PullRequestEvent)

    pushed = await pull_request.handle(waiting, push, story.deps)

    assert pushed is not None
    assert pushed.approvals == ()
    assert "maria pushed" in pushed.timeline[-1].note
    assert await pull_request.handle(waiting, same, story.deps) == waiting


async def test_what_becomes_of_the_revert_is_noted(story: Story, waiting: Incident):
    """The incident stays with people, who see in its timeline that they merged the revert."""
    ref = waiting.pull_request
    assert ref is not None
    handed = waiting.evolve(stage=Stage.ESCALATED, revert_pull_request=ref.model_copy(update={"number": 5}))

    noted = await pull_request.handle(handed, closed(waiting, number=5, merged=True), story.deps)

    assert noted is not None
    assert noted.stage is Stage.ESCALATED
    assert noted.timeline[-1].note == "maria merged #5, which takes the fix back."


async def test_an_approving_review_counts_like_approve(story: Story, waiting: Incident):
    """It leads to a merge of exactly the reviewed head."""
    ref = waiting.pull_request
    assert ref is not None

    approved = await pull_request_review.handle(waiting, review(waiting, "approved"), story.deps)

    assert approved is not None
    assert approved.stage is Stage.APPROVED
    merging = await story.steps[ACTS[Stage.APPROVED]](approved)
    assert [write.head_sha for write in merging.outgoing if isinstance(write, MergePull)] == [ref.head_sha]


@pytest.mark.parametrize("state", ["commented", "changes_requested", "dismissed"])
async def test_other_reviews_are_no_approval(story: Story, waiting: Incident, state: str):
    """Only an approving review counts."""
    assert await pull_request_review.handle(waiting, review(waiting, state), story.deps) == waiting


async def test_a_review_by_a_bot_is_ignored(story: Story, waiting: Incident):
    """Only people approve."""
    assert await pull_request_review.handle(waiting, review(waiting, "approved", user=BOT), story.deps) == waiting


async def test_a_review_of_an_old_commit_does_not_approve(story: Story, waiting: Incident):
    """It was given on another head."""
    found = await pull_request_review.handle(waiting, review(waiting, "approved", commit="0" * 40), story.deps)

    assert found is not None
    assert found.stage is Stage.AWAITING_APPROVAL
    assert found.approvals == ()

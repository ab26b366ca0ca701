"""What people do to an incident's pull requests, and their reviews."""

from datetime import datetime

import pytest

from agents.incident import TERMINAL, Agent, Incident, Merge, Stage
from agents.stages import ACTS
from agents.testing.builders import BAD_REVISION
from agents.testing.scenarios import pool_signal
from agents.writes import MergePull, PostComment, Topic
from bot.events import PullRequestEvent, PullRequestReviewEvent
from bot.handlers import pull_request, pull_request_review
from tests.unit.bot.handlers.webhooks import BOT, WHEN, pull, webhook
from tests.unit.bot.story import Story


def pulled(action: str, number: int, head: str, **fields: object) -> PullRequestEvent:
    """Return that something happened to a pull request."""
    made = webhook("pull_request", action, pull_request=pull(number, head, **fields))
    assert isinstance(made, PullRequestEvent)
    return made


def closed(incident: Incident, number: int | None = None, **fields: object) -> PullRequestEvent:
    """Return that the incident's pull request was closed."""
    ref = incident.pull_request
    assert ref is not None
    return pulled("closed", number or ref.number, ref.head_sha, **fields)


REVIEWER = {"login": "maria", "id": 1000, "type": "User"}


def review(
    incident: Incident,
    state: str,
    *,
    commit: str | None = None,
    user: object = REVIEWER,
    sender: dict[str, object] = REVIEWER,
    number: int | None = None,
) -> PullRequestReviewEvent:
    """Return a review by Maria of the incident's pull request."""
    ref = incident.pull_request
    assert ref is not None
    made = webhook(
        "pull_request_review",
        "submitted",
        sender=sender,
        review={"id": 1, "state": state, "user": user, "commit_id": commit or ref.head_sha},
        pull_request=pull(number or ref.number, ref.head_sha),
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
    assert merged.timeline[-1].note == (
        f"maria merged #2 as {BAD_REVISION[:9]}. It counts once telemetry shows that it works."
    )


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


@pytest.mark.parametrize("state", ["approved", "Approved", "APPROVED"])
async def test_the_state_of_a_review_is_read_in_any_case(story: Story, waiting: Incident, state: str):
    """Webhooks write it small, the REST API in capitals."""
    approved = await pull_request_review.handle(waiting, review(waiting, state), story.deps)

    assert approved is not None
    assert [(each.login, each.user_id, each.via) for each in approved.approvals] == [("maria", 1000, "review")]


@pytest.mark.parametrize(("user", "sender"), [(BOT, BOT), (BOT, REVIEWER), (REVIEWER, BOT)])
async def test_a_review_by_a_bot_is_ignored(
    story: Story, waiting: Incident, user: dict[str, object], sender: dict[str, object]
):
    """Only people approve: neither a bot's review that a person sends, nor a person's that a bot sends, counts."""
    given = review(waiting, "approved", user=user, sender=sender)
    assert await pull_request_review.handle(waiting, given, story.deps) == waiting


async def test_a_review_by_a_deleted_account_does_not_approve(story: Story, waiting: Incident):
    """GitHub shows it as a ghost, which has no permission."""
    found = await pull_request_review.handle(waiting, review(waiting, "approved", user=None), story.deps)

    assert found is not None
    assert (found.stage, found.approvals) == (Stage.AWAITING_APPROVAL, ())


async def test_a_review_of_another_pull_request_does_not_approve(story: Story, waiting: Incident):
    """It was not given on the fix, though its commit may be the same."""
    assert await pull_request_review.handle(waiting, review(waiting, "approved", number=99), story.deps) == waiting


async def test_a_review_without_an_incident_or_without_a_fix_changes_nothing(story: Story, waiting: Incident):
    """There is nothing that it could approve."""
    given = review(waiting, "approved")
    without = waiting.evolve(pull_request=None)

    assert await pull_request_review.handle(None, given, story.deps) is None
    assert await pull_request_review.handle(without, given, story.deps) == without


async def test_a_review_of_an_old_commit_does_not_approve(story: Story, waiting: Incident):
    """It was given on another head."""
    found = await pull_request_review.handle(waiting, review(waiting, "approved", commit="0" * 40), story.deps)

    assert found is not None
    assert found.stage is Stage.AWAITING_APPROVAL
    assert found.approvals == ()


OVER = sorted(TERMINAL | {Stage.VERIFYING, Stage.REVERTING, Stage.LEARNING, Stage.EVOLVING})
"""From the merge on, the pull request no longer decides anything."""


@pytest.mark.parametrize("stage", OVER)
@pytest.mark.parametrize("merged", [True, False])
async def test_after_the_merge_its_pull_request_decides_nothing(
    story: Story, waiting: Incident, stage: Stage, *, merged: bool
):
    """Neither a merge nor a close is taken for news then."""
    later = waiting.evolve(stage=stage)
    event = closed(waiting, merged=merged, merge_commit_sha=BAD_REVISION if merged else None)

    assert await pull_request.handle(later, event, story.deps) == later


@pytest.mark.parametrize("stage", sorted(frozenset(Stage) - frozenset(OVER) - {Stage.AWAITING_INFO}))
async def test_before_the_merge_a_close_rejects_the_fix_in_every_stage(story: Story, waiting: Incident, stage: Stage):
    """Approvals go with it, so that none is taken for one of a later plan."""
    approved = await pull_request_review.handle(waiting, review(waiting, "approved"), story.deps)
    assert approved is not None
    assert approved.approvals

    ended = await pull_request.handle(approved.evolve(stage=stage), closed(waiting), story.deps)

    assert ended is not None
    assert (ended.stage, ended.approvals) == (Stage.ESCALATED, ())
    last = ended.timeline[-1]
    assert (last.agent, last.at) == (Agent.HUMAN, story.github.now())
    assert last.note == "maria closed #2 without merging it, so the fix is rejected."


async def test_a_merge_that_the_bot_stored_already_is_not_taken_for_a_second_one(story: Story, waiting: Incident):
    """The webhook of our own merge may come while the incident is still in `merging`."""
    own = waiting.evolve(stage=Stage.MERGING, merge=Merge(sha=BAD_REVISION, at=story.github.now()))
    event = closed(waiting, merged=True, merge_commit_sha="0" * 40, merged_at=WHEN)

    assert await pull_request.handle(own, event, story.deps) == own


async def test_a_merge_without_its_commit_is_not_believed(story: Story, waiting: Incident):
    """Without the commit nothing could be proven."""
    event = closed(waiting, merged=True, merge_commit_sha=None, merged_at=WHEN)

    assert await pull_request.handle(waiting, event, story.deps) == waiting


@pytest.mark.parametrize("when", [WHEN, None])
async def test_a_merge_by_a_person_is_noted_with_its_time(story: Story, waiting: Incident, when: str | None):
    """Its time is the one that GitHub tells, or else that of its webhook."""
    event = closed(waiting, merged=True, merge_commit_sha=BAD_REVISION, merged_at=when)

    merged = await pull_request.handle(waiting, event, story.deps)

    assert merged is not None
    assert merged.merge is not None
    assert merged.merge.at == (datetime.fromisoformat(WHEN) if when else story.github.now())
    assert merged.timeline[-1].agent is Agent.HUMAN
    assert merged.timeline[-1].at == story.github.now()


async def test_without_a_pull_request_none_is_its_own(story: Story, waiting: Incident):
    """Whatever is closed, it was not the fix."""
    without = waiting.evolve(pull_request=None)

    assert await pull_request.handle(without, closed(waiting), story.deps) == without


@pytest.mark.parametrize(
    ("event", "note"),
    [
        (pulled("closed", 5, "e" * 40, merged=True), "maria merged #5, which takes the fix back."),
        (pulled("closed", 5, "e" * 40), "maria closed #5 without merging it, so the fix stays in."),
        (pulled("synchronize", 5, "e" * 40), None),
    ],
)
async def test_people_decide_about_the_revert(
    story: Story, waiting: Incident, event: PullRequestEvent, note: str | None
):
    """What became of it is noted with its time; a push to it is theirs."""
    ref = waiting.pull_request
    assert ref is not None
    handed = waiting.evolve(stage=Stage.ESCALATED, revert_pull_request=ref.model_copy(update={"number": 5}))

    seen = await pull_request.handle(handed, event, story.deps)

    assert seen is not None
    assert seen.stage is Stage.ESCALATED
    new = [(entry.at, entry.agent, entry.note) for entry in seen.timeline[len(handed.timeline) :]]
    assert new == ([(story.github.now(), Agent.HUMAN, note)] if note else [])


async def test_beside_a_revert_the_fix_is_still_the_fix(story: Story, waiting: Incident):
    """A close of the fix itself is no news of the revert."""
    ref = waiting.pull_request
    assert ref is not None
    both = waiting.evolve(revert_pull_request=ref.model_copy(update={"number": 5}))

    ended = await pull_request.handle(both, closed(waiting), story.deps)

    assert ended is not None
    assert ended.stage is Stage.ESCALATED

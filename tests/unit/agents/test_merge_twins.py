"""The first try of a merge and those after GitHub put it off are twins, and so are approvals by comment and review."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from agents.human import human, review
from agents.incident import Incident, Stage
from agents.testing.events import (
    HARMLESS,
    REVOKING,
    STOPPING,
    crew,
    merge,
    open_as_will,
    push_as_will,
)
from agents.testing.flow import carried_out, proposed, says
from agents.testing.shop import CONFIG, Shop
from agents.writes import MergePull

WAITING, APPROVED, MERGING, DECIDING = Stage.AWAITING_APPROVAL, Stage.APPROVED, Stage.MERGING, Stage.DECIDING
Way = Callable[[Shop, Incident], Awaitable[Incident]]


async def by_comment(shop: Shop, waiting: Incident) -> Incident:
    """Return the incident that will approved with a comment."""
    return await says(shop, waiting, "will", "/approve")


async def by_review(shop: Shop, waiting: Incident) -> Incident:
    """Return the incident that will approved with a review."""
    head, user_id = waiting.pull_request.head_sha, shop.github.user_id("will")
    return await review(waiting, "will", user_id, head, shop.forge, shop.github.now)


async def put_off(shop: Shop, approved: Incident, times: int) -> Incident:
    """Return the approved incident after GitHub put its merge off so often."""
    shop.github.merge_blocked = "A required review is missing."
    for _ in range(times):
        merging = await human(shop.forge, shop.github.now)(approved)
        assert merging.stage is MERGING
        approved = await carried_out(merging, shop)
        assert approved.stage is APPROVED
        shop.github.tick(timedelta(seconds=20))
    shop.github.merge_blocked = ""
    return approved


def lose_permission(shop: Shop, approved: Incident) -> None:
    """Will may only read any more."""
    shop.github.grant("will", "read")


def edit_comment(shop: Shop, approved: Incident) -> None:
    """Will edits the comment, which says the same as before."""
    shop.github.edits(approved.approvals[0].comment_id, "/approve")


def delete_comment(shop: Shop, approved: Incident) -> None:
    """Will deletes the comment."""
    shop.github.comments.clear()


def hand_comment_over(shop: Shop, approved: Incident) -> None:
    """The comment belongs to somebody else."""
    number = approved.approvals[0].comment_id
    issue, comment = shop.github.comments[number]
    shop.github.comments[number] = (issue, comment.model_copy(update={"author_id": 5}))


# What happens between the approval and the try, and the stage after the try.
TABLE = [
    *((happens, MERGING) for happens in (*HARMLESS, merge)),
    *((happens, WAITING) for happens in (lose_permission, open_as_will, push_as_will, *STOPPING)),
    *((happens, DECIDING) for happens in REVOKING),
]
OF_COMMENTS = [(happens, WAITING) for happens in (edit_comment, delete_comment, hand_comment_over)]


@pytest.mark.parametrize("tries", [0, 1])
@pytest.mark.parametrize(
    ("way", "happens", "stage"),
    [*((way, *row) for way in (by_comment, by_review) for row in TABLE), *((by_comment, *row) for row in OF_COMMENTS)],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_everything_is_checked_before_each_try_of_a_merge(way: Way, happens, stage, tries):
    """The first try and the second one come to the same end, however the fix was approved."""
    shop = crew()
    approved = await put_off(shop, (await way(shop, await proposed(shop))).evolve(outgoing=()), tries)
    why = happens(shop, approved)
    after = await human(shop.forge, shop.github.now)(approved)
    merges = [(write.number, write.head_sha) for write in after.outgoing if isinstance(write, MergePull)]
    assert after.stage is stage
    assert merges == ([(1, approved.pull_request.head_sha)] if stage is MERGING else [])
    assert [approval.login for approval in after.approvals] == (["will"] if stage is MERGING else [])
    added = [entry.note for entry in after.timeline[len(approved.timeline) :]]
    if stage is MERGING:
        assert len(added) == 1 - tries
    elif stage is DECIDING:
        assert added == [f"Plan {approved.plan.id} no longer holds: {why} A new plan is made."]
    elif happens in STOPPING:
        assert added == [f"Approved, but not merged: {why}"]
    else:
        assert added == ["No longer approved: the approval by will does not hold any more."]


@pytest.mark.parametrize("tries", [0, 1, 2, 3])
async def test_the_timeline_tells_of_the_first_try_and_of_why_it_was_put_off_once(tries):
    """However often GitHub puts the merge off."""
    shop = crew()
    approved = (await by_comment(shop, await proposed(shop))).evolve(outgoing=())
    later = await put_off(shop, approved, tries)
    merging = await human(shop.forge, shop.github.now)(later)
    added = [(entry.stage, entry.note) for entry in merging.timeline[len(approved.timeline) :]]
    told = [
        (MERGING, "Approved by will; everything still holds."),
        (APPROVED, "Approved, but GitHub does not merge yet: A required review is missing."),
    ]
    assert added == (told if tries else told[:1])
    assert (merging.stage, merging.wake_at) == (MERGING, None)


async def test_a_new_entry_tells_of_a_first_merge_after_another_one_failed_for_good():
    """A merge long ago is not a try of this one."""
    shop = crew()
    approved = (await by_comment(shop, await proposed(shop))).evolve(outgoing=())
    merging = (await human(shop.forge, shop.github.now)(approved)).evolve(outgoing=())
    back = merging.move(WAITING, "Human", "GitHub refused the merge.", shop.github.now(), approvals=())
    again = (await by_comment(shop, back)).evolve(outgoing=())
    assert again.stage is APPROVED
    after = await human(shop.forge, shop.github.now)(again)
    assert [entry.stage for entry in after.timeline[len(again.timeline) :]] == [MERGING]


@pytest.mark.parametrize("tries", [0, 1])
async def test_two_people_are_asked_for_again_before_each_try(tries):
    """Whoever no longer holds is named and goes, whoever still holds stays."""
    shop = crew(CONFIG + "approvals: {low: {count: 2, permission: write}}\n")
    waiting = await proposed(shop)
    once = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    approved = await put_off(shop, (await says(shop, once, "mia", "/approve")).evolve(outgoing=()), tries)
    lose_permission(shop, approved)
    after = await human(shop.forge, shop.github.now)(approved)
    assert (after.stage, [approval.login for approval in after.approvals]) == (WAITING, ["mia"])
    assert after.timeline[-1].note == "No longer approved: the approval by will does not hold any more."

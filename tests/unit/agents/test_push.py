"""A push to the branch of a plan drops approvals, and is said once."""

import pytest

from agents.approving import pushed
from agents.incident import Incident, Stage
from agents.testing.builders import ONSET
from agents.testing.events import crew
from agents.testing.flow import proposed, says
from agents.testing.shop import CONFIG, Shop
from agents.writes import CompleteCheck

TWO_PEOPLE = CONFIG + "approvals: {low: {count: 2, permission: write}}\n"
WAITING = Stage.AWAITING_APPROVAL


@pytest.fixture
def shop() -> Shop:
    """The shop with its people."""
    return crew()


@pytest.fixture
async def waiting(shop: Shop) -> Incident:
    """An incident whose fix waits for approval."""
    return await proposed(shop)


@pytest.mark.parametrize(
    ("stage", "approvers", "said"),
    [
        (WAITING, [], "it cannot be approved as it is"),
        (WAITING, ["will"], "1 approval no longer holds"),
        (WAITING, ["will", "mia"], "2 approvals no longer hold"),
        (Stage.APPROVED, [], "0 approvals no longer hold"),
        (Stage.APPROVED, ["will"], "1 approval no longer holds"),
        (Stage.APPROVED, ["will", "mia"], "2 approvals no longer hold"),
    ],
)
async def test_a_push_drops_approvals_while_the_fix_waits(stage, approvers, said):
    """The timeline says how many approvals fell, and a check asks for action."""
    shop = crew(TWO_PEOPLE)
    found = await proposed(shop)
    for login in approvers:
        found = (await says(shop, found, login, "/approve")).evolve(outgoing=())
    found = found.evolve(stage=stage)
    after = pushed(found, "mallory", "b" * 40, ONSET)
    assert after.timeline[-1].note == f"mallory pushed bbbbbbbbb to #1, which is not part of the plan: {said}."
    assert (after.stage, after.approvals, len(after.timeline)) == (WAITING, (), len(found.timeline) + 1)
    (check,) = [write for write in after.outgoing if isinstance(write, CompleteCheck)]
    assert (check.head_sha, check.conclusion) == ("b" * 40, "action_required")


async def test_a_push_changes_nothing_where_no_fix_waits(shop, waiting):
    """The fix is merged or being merged, the incident has ended, or there is no fix yet."""
    approved = await says(shop, waiting, "will", "/approve")
    elsewhere = [approved.evolve(stage=stage) for stage in Stage if stage not in {WAITING, Stage.APPROVED}]
    assert [pushed(found, "mallory", "b" * 40, ONSET) for found in elsewhere] == elsewhere


async def test_a_push_without_a_pull_request_or_of_the_plans_own_commit_drops_nothing(shop, waiting):
    """There is nothing that it could have changed."""
    approved = await says(shop, waiting, "will", "/approve")
    assert pushed(approved, "mallory", approved.pull_request.head_sha, ONSET) == approved
    alone = approved.evolve(pull_request=None)
    assert pushed(alone, "mallory", "b" * 40, ONSET) == alone


async def test_the_same_push_is_said_once_and_another_one_again(waiting):
    """A first push is said even if the timeline is empty."""
    first = pushed(waiting.evolve(timeline=()), "mallory", "b" * 40, ONSET)
    assert len(first.timeline) == 1
    assert pushed(first, "mallory", "b" * 40, ONSET) == first
    assert len(pushed(first, "mallory", "c" * 40, ONSET).timeline) == 2

"""A comment and a review that approve are twins: the same preconditions lead to the same end."""

from collections.abc import Awaitable, Callable

import pytest

from agents.human import review
from agents.incident import Incident, Stage
from agents.plan import Risk
from agents.testing.events import (
    HARMLESS,
    REVOKING,
    STOPPING,
    change_file,
    crew,
    expire,
    merge,
    nothing,
    open_as_will,
    push_as_will,
)
from agents.testing.flow import proposed, revert_of, says
from agents.testing.shop import CONFIG, Shop
from agents.writes import ClosePull, Reply

TWO_PEOPLE = CONFIG + "approvals: {low: {count: 2, permission: write}}\n"
MAINTAINERS = CONFIG + "approvals: {low: {count: 1, permission: maintain}}\n"
Way = Callable[[Shop, Incident, str], Awaitable[Incident]]


async def by_comment(shop: Shop, found: Incident, login: str) -> Incident:
    """Return the incident after `/approve`."""
    return await says(shop, found, login, "/approve")


async def by_review(shop: Shop, found: Incident, login: str) -> Incident:
    """Return the incident after an approving review of the commit that is on the branch now."""
    pull = await shop.forge.pull(found.repo, 1)
    head = pull.head_sha if pull else found.pull_request.head_sha
    return await review(found, login, shop.github.user_id(login), head, shop.forge, shop.github.now)


def replies(found: Incident) -> str:
    """Return the text of the reply, or nothing."""
    return "".join(write.text for write in found.outgoing if isinstance(write, Reply))


def people(found: Incident) -> list[str]:
    """Return who has approved, in order."""
    return [approval.login for approval in found.approvals]


WAITING, APPROVED, DECIDING = Stage.AWAITING_APPROVAL, Stage.APPROVED, Stage.DECIDING
# What happens, who approves then, and the stage after it.
TABLE = [
    *((happens, "will", APPROVED) for happens in HARMLESS),
    *((happens, "will", WAITING) for happens in (*STOPPING, merge, open_as_will, push_as_will)),
    *((happens, "will", DECIDING) for happens in REVOKING),
    *((happens, login, WAITING) for happens in (nothing, expire, change_file) for login in ("rita", "tom", "nora")),
    *((happens, "mia", APPROVED) for happens in (nothing, open_as_will, push_as_will)),
]
PERMISSIONS = {"rita": "read", "tom": "triage", "nora": "none"}
WAYS = pytest.mark.parametrize("way", [by_comment, by_review])


@WAYS
@pytest.mark.parametrize(("happens", "login", "stage"), TABLE, ids=lambda value: getattr(value, "__name__", None))
async def test_a_comment_and_a_review_come_to_the_same_end(way: Way, happens, login, stage):
    """The stage, the approvals and the plan are the same, and both are told why."""
    shop = crew()
    waiting = await proposed(shop)
    why = happens(shop, waiting)
    told = await way(shop, waiting, login)
    assert told.stage is stage
    assert people(told) == ([login] if stage is APPROVED else [])
    assert (told.plan is None) == (told.pull_request is None) == (stage is DECIDING)
    assert bool([write for write in told.outgoing if isinstance(write, ClosePull)]) is (stage is DECIDING)
    if stage is WAITING:
        assert told.timeline == waiting.timeline
        permission = f"{login} has {PERMISSIONS.get(login)} permission on this repository"
        assert permission in replies(told) or (why and why in replies(told))
    elif stage is DECIDING:
        assert why in replies(told)
        assert told.timeline[-1].note == f"Plan {waiting.plan.id} no longer holds: {why} A new plan is made."


@WAYS
@pytest.mark.parametrize(("login", "stage"), [("will", WAITING), ("mia", APPROVED)])
async def test_both_need_the_permission_that_is_configured(way: Way, login, stage):
    """Write permission is not enough where maintain is asked for."""
    shop = crew(MAINTAINERS)
    told = await way(shop, await proposed(shop), login)
    assert told.stage is stage
    assert stage is APPROVED or "will has write permission on this repository; this fix needs maintain" in replies(told)


@WAYS
@pytest.mark.parametrize(("autonomy", "stage"), [("propose", WAITING), ("approve", APPROVED)])
async def test_neither_approves_without_autonomy_approve(way: Way, autonomy, stage):
    """The plan stays, and people merge it themselves."""
    shop = crew(CONFIG.replace("services:", f"autonomy: {autonomy}\nservices:", 1))
    told = await way(shop, await proposed(shop), "will")
    assert told.stage is stage
    assert stage is APPROVED or "The repository's autonomy is propose" in replies(told)


@WAYS
async def test_neither_approves_a_plan_of_another_policy_version(way: Way, monkeypatch):
    """It is decided about again."""
    shop = crew()
    waiting = await proposed(shop)
    monkeypatch.setattr("agents.gate.POLICY_VERSION", "2")
    assert (await way(shop, waiting, "will")).stage is DECIDING


@WAYS
@pytest.mark.parametrize("missing", ["plan", "pull_request"])
async def test_neither_approves_without_a_plan_and_its_pull_request(way: Way, missing):
    """There is nothing that an approval could be bound to."""
    shop = crew()
    told = await way(shop, (await proposed(shop)).evolve(**{missing: None}), "will")
    assert (told.stage, told.approvals) == (WAITING, ())


@WAYS
async def test_neither_approves_when_nothing_waits_for_approval(way: Way):
    """A comment is a command and is answered; a review has its own reasons and is not."""
    shop = crew()
    waiting = await proposed(shop)
    for stage in set(Stage) - {WAITING}:
        elsewhere = waiting.evolve(stage=stage)
        told = await way(shop, elsewhere, "will")
        assert told.evolve(outgoing=()) == elsewhere
        assert bool(replies(told)) is (way is by_comment)


@pytest.mark.parametrize("first", [by_comment, by_review])
@pytest.mark.parametrize("second", [by_comment, by_review])
@pytest.mark.parametrize(("login", "after"), [("will", ["will"]), ("mia", ["will", "mia"])])
async def test_of_two_people_the_second_one_suffices_and_nobody_counts_twice(first, second, login, after):
    """In whatever way each of them approves."""
    shop = crew(TWO_PEOPLE)
    once = (await first(shop, await proposed(shop), "will")).evolve(outgoing=())
    assert (once.stage, people(once)) == (WAITING, ["will"])
    ways = {by_comment: "by command", by_review: "with a review"}
    assert once.timeline[-1].note == f"will approved plan {once.plan.id} {ways[first]} (1 of 2)."
    told = await second(shop, once, login)
    assert (told.stage, people(told)) == (APPROVED if len(after) == 2 else WAITING, after)
    added = [entry.note for entry in told.timeline[len(once.timeline) :]]
    assert added == [f"mia approved plan {once.plan.id} {ways[second]} (2 of 2)."][: len(after) - 1]


@WAYS
async def test_approvals_of_another_head_or_plan_are_not_counted_along(way: Way):
    """One person of two has approved another plan, or another commit."""
    shop = crew(TWO_PEOPLE)
    once = (await by_comment(shop, await proposed(shop), "mia")).evolve(outgoing=())
    for changes in ({"plan_id": "0" * 12}, {"head_sha": "0" * 40}):
        stale = once.approvals[0].model_copy(update=changes)
        told = await way(shop, once.evolve(approvals=(stale,)), "will")
        assert (told.stage, people(told)) == (WAITING, ["will"])


async def risky(shop: Shop) -> Incident:
    """Return an incident whose fix is of high risk."""
    sha = shop.commit("Change two things", {"services/quote/app.py": "x = 1\n", "shop/http.py": "y = 2\n"})
    waiting = await proposed(shop, revert_of(shop, sha))
    assert waiting.plan.risk is Risk.HIGH
    return waiting


@WAYS
async def test_high_risk_needs_the_plans_name_which_a_review_cannot_give(way: Way):
    """The two differ on purpose: a comment can name the plan."""
    shop = crew()
    waiting = await risky(shop)
    told = await way(shop, waiting, "mia")
    assert (told.stage, told.approvals) == (WAITING, ())
    assert "This fix is of high risk, so an approval has to name its plan." in replies(told)
    assert f"write `/approve {waiting.plan.id}`." in replies(told)
    assert people(await says(shop, waiting, "mia", f"/approve {waiting.plan.id}")) == ["mia"]

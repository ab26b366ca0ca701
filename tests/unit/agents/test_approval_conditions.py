"""Every condition of an approval, one by one: plan, age, permission, person and count."""

from datetime import timedelta
from itertools import product
from typing import get_args

import pytest

from agents.approvals import age_problem, counted, enough, missing, plan_argument_problem, still_given, unedited
from agents.config import ApprovalRule
from agents.gate import Gate, Problem, Revoked, open_gate
from agents.human import answer, human, review
from agents.incident import Incident, Stage
from agents.plan import Approval, Risk
from agents.plans import LIFETIME, made_at
from agents.ports import Permission
from agents.testing.builders import ONSET
from agents.testing.events import close, crew, nothing
from agents.testing.flow import invoked, proposed, says
from agents.testing.shop import Shop
from agents.writes import Reply

SECOND = timedelta(seconds=1)
WAITING = Stage.AWAITING_APPROVAL


@pytest.fixture
def shop() -> Shop:
    """The shop with its people."""
    return crew()


@pytest.fixture
async def waiting(shop: Shop) -> Incident:
    """An incident whose fix waits for approval."""
    return await proposed(shop)


@pytest.fixture
async def gate(shop: Shop, waiting: Incident) -> Gate:
    """The open gate of its plan."""
    found = await open_gate(waiting, shop.forge, shop.github.now())
    assert isinstance(found, Gate)
    return found


def approval(gate: Gate, user_id: int, **changes: object) -> Approval:
    """Return an approval of the gate's plan and head by the person with this id."""
    values = {"login": f"user{user_id}", "plan_id": gate.plan.id, "head_sha": gate.state.head_sha, "via": "review"}
    return Approval(user_id=user_id, at=ONSET, **{**values, **changes})


def test_a_permission_includes_itself_and_every_lower_one():
    """GitHub's order is admin, maintain, write, triage, read, none."""
    order: tuple[Permission, ...] = get_args(Permission)
    assert order == ("admin", "maintain", "write", "triage", "read", "none")
    for given, needed in product(order, order):
        assert enough(given, needed) is (order.index(given) <= order.index(needed))


@pytest.mark.parametrize("risk", [Risk.LOW, Risk.HIGH])
@pytest.mark.parametrize(
    ("named", "counts"),
    [("", None), *((length, length in range(7, 13)) for length in (1, 6, 7, 8, 11, 12)), ("{id}0", False)],
)
def test_a_plan_is_named_by_seven_to_twelve_of_its_characters(gate, risk, named, counts):
    """A low risk needs no name, a high one does; what is too short or too long names nothing."""
    risky = Gate(gate.plan.model_copy(update={"risk": risk}), gate.pull, gate.state, gate.rule)
    written = named.format(id=gate.plan.id) if isinstance(named, str) else gate.plan.id[:named]
    problem = plan_argument_problem(written, risky)
    assert (problem is None) is (risk is Risk.LOW if counts is None else counts)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("0123456", "`0123456` is not the plan that is open, which is `{id}`."),
        (
            "please",
            "`/approve` takes nothing but the id of a plan, at least 7 of its 12 characters; `please` is none.",
        ),
        (
            "x" * 41,
            f"`/approve` takes nothing but the id of a plan, at least 7 of its 12 characters; `{'x' * 39}…` is none.",
        ),
    ],
)
def test_the_answer_tells_another_plan_from_what_is_no_plan(gate, written, why):
    """Both end with what to write instead."""
    problem = plan_argument_problem(written, gate)
    assert problem is not None
    assert problem.why == why.format(id=gate.plan.id)
    assert problem.next == f"read #1 and write `/approve {gate.plan.id}`."


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(("age", "old"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
async def test_a_comment_is_older_than_the_plan_by_one_second(shop, waiting, gate, age, old, named):
    """One of the same second counts, an older one only where it names the plan."""
    shop.github.clock = made_at(gate.plan) - age
    comment = shop.github.says(7, "will", f"/approve {gate.plan.id}" if named else "/approve")
    problem = age_problem(comment, gate.plan.id if named else "", gate)
    assert (problem is None) is (named or not old)
    assert problem is None or problem == Problem(
        f"This comment is older than plan `{gate.plan.id}`, so it cannot mean it.",
        f"read #1 and write `/approve {gate.plan.id}`.",
    )
    told = await answer(waiting, invoked(comment, waiting), shop.forge, lambda: ONSET)
    assert told.stage is (Stage.APPROVED if named or not old else WAITING)


@pytest.mark.parametrize(("left", "opens"), [(LIFETIME, True), (SECOND, True), (0 * SECOND, False), (-SECOND, False)])
async def test_a_plan_holds_until_the_second_it_expires(shop, waiting, left, opens):
    """It lives 24 hours; at the end of them it is over."""
    assert waiting.plan.expires_at == ONSET + timedelta(hours=24)
    found = await open_gate(waiting, shop.forge, waiting.plan.expires_at - left)
    assert isinstance(found, Gate) is opens
    assert isinstance(found, Revoked) is not opens


def test_approvals_are_counted_in_their_order_and_once_per_person(gate):
    """Those of another plan or head are left out; of one person the first one stands."""
    one, two, three = (approval(gate, number) for number in (1, 2, 3))
    again = approval(gate, 1, login="renamed")
    stale = (approval(gate, 4, plan_id="0" * 12), approval(gate, 5, head_sha="0" * 40))
    assert counted(Incident.model_construct(approvals=(one, *stale, two, three)), gate) == (one, two, three)
    assert counted(Incident.model_construct(approvals=(one, again)), gate) == (one,)
    assert set(counted(Incident.model_construct(approvals=(one, two, again)), gate)) == {one, two}


@pytest.mark.parametrize(("count", "given", "more"), [(1, 0, 1), (1, 1, 0), (1, 2, 0), (2, 1, 1), (3, 1, 2)])
def test_missing_is_how_many_more_are_needed_and_never_negative(gate, count, given, more):
    """Enough is enough."""
    approvals = tuple(approval(gate, number) for number in range(given))
    assert missing(ApprovalRule(count=count), approvals) == more


@pytest.mark.parametrize(("later", "same"), [(0 * SECOND, True), (SECOND, False)])
def test_a_comment_is_unedited_while_its_two_times_are_the_same(shop, later, same):
    """GitHub moves the second one on an edit."""
    comment = shop.github.says(7, "will", "/approve")
    assert unedited(comment.model_copy(update={"updated_at": comment.created_at + later})) is same


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"author_id": 5}, False),
        ({"updated_at": ONSET + SECOND}, False),
        (None, False),
    ],
)
async def test_an_approval_by_comment_holds_while_the_comment_stands_as_it_was(shop, waiting, gate, changes, holds):
    """It is there, unedited, and of the same person."""
    comment = shop.github.says(7, "will", "/approve")
    given = approval(gate, comment.author_id, login="will", via="command", comment_id=comment.id)
    if changes is None:
        shop.github.comments.clear()
    else:
        shop.github.comments[comment.id] = (7, comment.model_copy(update=changes))
    assert await still_given(given, gate, waiting, shop.forge) is holds


@pytest.mark.parametrize(("login", "holds"), [("will", True), ("rita", False), ("sre-space[bot]", False)])
async def test_an_approval_by_review_holds_while_the_person_may_approve(shop, waiting, gate, login, holds):
    """There is no comment that could be asked for."""
    shop.github.grant("sre-space[bot]", "admin")
    assert await still_given(approval(gate, 1, login=login), gate, waiting, shop.forge) is holds


async def test_an_approval_says_how_it_was_given(shop, waiting):
    """By command it links its comment, by review the pull request; the timeline tells them apart."""
    commented = await says(shop, waiting, "will", "/approve")
    head, user_id = waiting.pull_request.head_sha, shop.github.user_id("will")
    reviewed = await review(waiting, "will", user_id, head, shop.forge, shop.github.now)
    (by_command,), (by_review,) = commented.approvals, reviewed.approvals
    assert (by_command.via, by_command.url) == ("command", shop.github.comments[by_command.comment_id][1].url)
    assert (by_review.via, by_review.url, by_review.comment_id) == ("review", waiting.pull_request.url, None)
    notes = [found.timeline[-1].note for found in (commented, reviewed)]
    assert notes == [f"will approved plan {waiting.plan.id} {way} (1 of 1)." for way in ("by command", "with a review")]


async def test_a_comment_without_an_address_approves_without_one(shop, waiting):
    """An empty address is none."""
    comment = shop.github.says(7, "will", "/approve").model_copy(update={"url": ""})
    shop.github.comments[comment.id] = (7, comment)
    told = await answer(waiting, invoked(comment, waiting), shop.forge, shop.github.now)
    assert told.approvals[0].url is None


@pytest.mark.parametrize("happens", [nothing, close])
async def test_a_refused_review_is_answered_on_its_pull_request_once_per_head(shop, waiting, happens):
    """There is no comment to refer to; it does not matter whether the person or the plan is the problem."""
    happens(shop, waiting)
    head = waiting.pull_request.head_sha
    told = await review(waiting, "rita", 5, head, shop.forge, shop.github.now)
    (reply,) = [write for write in told.outgoing if isinstance(write, Reply)]
    assert (reply.key, reply.issue, reply.comment_id) == (f"reply:review:5:{head[:12]}", 1, 0)


async def test_approvals_that_count_for_nothing_name_nobody(shop, waiting):
    """None of what was stored is about this plan."""
    approved = (await says(shop, waiting, "will", "/approve")).evolve(outgoing=())
    stale = approved.approvals[0].model_copy(update={"plan_id": "0" * 12})
    back = await human(shop.forge, shop.github.now)(approved.evolve(approvals=(stale,)))
    assert back.timeline[-1].note == "No longer approved: the approval by nobody does not hold any more."


async def test_a_review_of_a_commit_that_was_replaced_is_told_to_come_again(shop, waiting):
    """It says what to do next."""
    told = await review(waiting, "will", shop.github.user_id("will"), "0" * 40, shop.forge, shop.github.now)
    (reply,) = [write for write in told.outgoing if isinstance(write, Reply)]
    assert "It is not about the commit that is on the branch now. **Next:** review the latest commit." in reply.text


async def test_a_review_without_a_pull_request_is_left_alone(shop, waiting):
    """There is nothing that it could be about."""
    bare = waiting.evolve(pull_request=None)
    assert await review(bare, "will", shop.github.user_id("will"), "0" * 40, shop.forge, shop.github.now) == bare


@pytest.mark.parametrize(
    ("plan", "pull"), [("plan", "pull_request"), ("plan", None), (None, "pull_request"), (None, None)]
)
async def test_the_gate_opens_for_a_plan_with_its_pull_request_only(shop, waiting, plan, pull):
    """Without one of them there is nothing to approve."""
    kept = {name: getattr(waiting, name) if name in {plan, pull} else None for name in ("plan", "pull_request")}
    found = await open_gate(waiting.evolve(**kept), shop.forge, ONSET)
    assert isinstance(found, Gate) is (plan is not None and pull is not None)
    assert isinstance(found, Gate) or found == Problem("There is no plan to approve.")


async def test_a_base_that_github_cannot_compare_revokes(shop, waiting, monkeypatch):
    """It no longer knows the commit that the plan was made on."""
    shop.write_docs()

    async def unknown(*_: object) -> None:
        return None

    monkeypatch.setattr(shop.forge, "compare", unknown)
    found = await open_gate(waiting, shop.forge, ONSET)
    why = "the history of main was rewritten since it was made."
    assert found == Revoked(why, plan=waiting.plan, pull=waiting.pull_request)

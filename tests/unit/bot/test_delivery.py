"""Writes reach GitHub once, with our texts and marks, and refusals come back as results."""

from typing import get_args

import pytest
from pydantic import SecretStr

from agents.errors import ForgeRefusedError, ForgeUnavailableError
from agents.incident import Incident, Stage
from agents.testing.flow import proposed
from agents.testing.shop import Shop
from agents.writes import (
    AnyWrite,
    CloseIssue,
    ClosePull,
    CompleteCheck,
    Done,
    LabelIssue,
    MergePull,
    OpenIssue,
    OpenProposal,
    PostComment,
    ProposeChange,
    React,
    Reaction,
    Refused,
    Reply,
    SyncComment,
    Topic,
    Write,
)
from bot.comments import Texts
from bot.delivery import deliver
from bot.markers import Markers
from tests.unit.bot.comments import incidents

TEXTS = Texts(Markers(SecretStr("secret")), label="incident")


@pytest.fixture
def shop() -> Shop:
    """A repository in memory."""
    return Shop()


@pytest.fixture
async def waiting(shop: Shop) -> Incident:
    """An incident with an issue and a proposed fix."""
    issue = shop.github.opens("sre-space[bot]", "quote fails", author_type="Bot")
    return (await proposed(shop)).evolve(issue=issue.number, comment_id=None)


def every_write(incident: Incident) -> list[Write]:
    """Return one write of each kind."""
    pull, plan = incident.pull_request, incident.plan
    assert pull is not None
    assert plan is not None
    return [
        OpenIssue(),
        SyncComment(),
        PostComment(key="ask", topic=Topic.ASK_SERVICE, note="quote"),
        React(key="react", comment_id=9000, reaction=Reaction.SEEN),
        Reply(key="reply", issue=incident.issue or 0, comment_id=9000, text="Yes."),
        ProposeChange(key="propose"),
        CompleteCheck(key="check", head_sha=pull.head_sha, conclusion="success", title="t", summary="s"),
        LabelIssue(key="label", add=("resolved",), remove=("incident",)),
        MergePull(key="merge", number=pull.number, head_sha=pull.head_sha),
        ClosePull(key="close_pull", number=pull.number, branch=plan.branch),
        CloseIssue(),
        OpenProposal(key="proposal", title="Make quote immune", body="Because."),
    ]


async def test_every_write_is_carried_out(shop: Shop, waiting: Incident):
    """Each kind of write has a success, also when it is delivered twice."""
    writes = every_write(waiting)
    assert {type(write) for write in writes} == set(get_args(get_args(AnyWrite)[0]))

    for write in writes:
        for _ in range(2):
            result = await deliver(waiting, write, shop.forge, TEXTS)
            assert isinstance(result, Done), write.key


async def test_the_sticky_comment_is_one(shop: Shop, waiting: Incident):
    """Without its id it is found by its mark, and says the state at the time of delivery."""
    first = await deliver(waiting, SyncComment(), shop.forge, TEXTS)
    second = await deliver(waiting.evolve(stage=Stage.MERGING), SyncComment(), shop.forge, TEXTS)

    bodies = [comment.body for _, comment in shop.github.comments.values()]
    assert first == second
    assert len(bodies) == 1
    assert bodies[0].startswith("## Approved, merging")
    found = TEXTS.markers.find(bodies[0])
    assert found is not None
    assert (found.kind, found.incident_id) == ("sync_comment", waiting.id)


async def test_comments_of_different_keys_are_different_comments(shop: Shop, waiting: Incident):
    """Two replies are two comments."""
    for key in ("reply:1", "reply:2", "reply:1"):
        write = Reply(key=key, issue=waiting.issue or 0, comment_id=1, text=f"Answer {key}.")
        await deliver(waiting, write, shop.forge, TEXTS)

    assert len(shop.github.comments) == 2


async def test_the_issue_has_label_severity_and_mark(shop: Shop):
    """By these it is found again."""
    opened = await deliver(incidents.waiting(), OpenIssue(), shop.forge, TEXTS)

    assert isinstance(opened, Done)
    issue = shop.github.issues[opened.number or 0]
    assert issue.labels == ("incident", "severity:high")
    assert issue.title == "quote: 45 % of GET /quote/{sku} requests fail"
    assert TEXTS.markers.find(issue.body) is not None


async def test_what_needs_an_issue_is_refused_without_one(shop: Shop, waiting: Incident):
    """Nothing is posted anywhere else."""
    homeless = waiting.evolve(issue=None)

    for write in (SyncComment(), CloseIssue(), LabelIssue(key="label", add=("x",))):
        assert isinstance(await deliver(homeless, write, shop.forge, TEXTS), Refused)
    assert shop.github.comments == {}


async def test_a_refusal_is_a_result_and_an_outage_is_not(shop: Shop, waiting: Incident):
    """What GitHub refuses is settled; what it does not answer is tried again."""
    shop.forge.fail["upsert_comment"] = ForgeRefusedError(403, "Resource not accessible by integration")
    refused = await deliver(waiting, SyncComment(), shop.forge, TEXTS)
    assert refused == Refused(reason="Resource not accessible by integration")

    shop.forge.fail["upsert_comment"] = ForgeUnavailableError("GitHub answered 502")
    with pytest.raises(ForgeUnavailableError):
        await deliver(waiting, SyncComment(), shop.forge, TEXTS)


async def test_without_a_plan_nothing_is_proposed(shop: Shop, waiting: Incident):
    """A revert needs its own plan."""
    refused = await deliver(waiting, ProposeChange(key="propose", revert=True), shop.forge, TEXTS)

    assert isinstance(refused, Refused)


async def test_the_plan_of_a_dry_run_is_never_proposed(shop: Shop):
    """Whatever asked for it: the plan that is only shown is none that is carried out."""
    shown = incidents.dry_run()
    for revert in (False, True):
        refused = await deliver(shown, ProposeChange(key="propose", revert=revert), shop.forge, TEXTS)
        assert refused == Refused(reason="there is no plan to propose")
    assert shop.forge.calls == []

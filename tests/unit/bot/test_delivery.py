"""Writes reach GitHub once, with our texts and marks, and refusals come back as results."""

from typing import get_args

import pytest
from pydantic import SecretStr

from agents.errors import ForgeRefusedError, ForgeUnavailableError
from agents.incident import Incident, Stage
from agents.markdown import plain
from agents.plan import Plan
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
from bot.comments.opening import MAX_TITLE
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


class Recorder:
    """A forge that notes exactly what it is asked to do, and answers with its number."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[object, ...], dict[str, object]]] = []

    def __getattr__(self, name: str) -> object:
        async def noted(*args: object, **named: object) -> Done:
            self.asked.append((name, args, named))
            return Done(number=len(self.asked))

        return noted


async def asked(incident: Incident, write: AnyWrite) -> tuple[str, tuple[object, ...], dict[str, object]]:
    """Return the only call that a write leads to, without the repository, which is always the incident's."""
    forge = Recorder()
    assert await deliver(incident, write, forge, TEXTS) == Done(number=1)  # type: ignore[arg-type]
    [(name, (repo, *rest), named)] = forge.asked
    assert repo == incident.repo
    return name, tuple(rest), named


def mark(incident: Incident, kind: str, key: str) -> str:
    """Return the mark of a text."""
    return TEXTS.markers.make(kind, incident.id, key)


async def test_issue_and_proposal_are_opened_with_their_own_marks_and_labels():
    """A title is plain and of limited length, and the proposal is no incident."""
    incident = incidents.waiting()
    text = TEXTS.issue(incident)
    proposal = OpenProposal(key="proposal", title="Make `quote` immune\n" + "!" * 300, body="Because.")

    assert await asked(incident, OpenIssue()) == (
        "open_issue",
        (),
        {
            "title": text.title,
            "body": text.body,
            "labels": ("incident", "severity:high"),
            "marker": mark(incident, "issue", "open_issue"),
        },
    )
    assert await asked(incident, proposal) == (
        "open_issue",
        (),
        {
            "title": plain(proposal.title, MAX_TITLE),
            "body": "Because.",
            "labels": ("reliability",),
            "marker": mark(incident, "proposal", "proposal"),
        },
    )


@pytest.mark.parametrize("known", [None, 31])
async def test_each_comment_goes_to_its_issue_with_its_text_and_mark(known: int | None):
    """Only the sticky comment is edited by its number; a reply goes where the command was written."""
    incident = incidents.waiting(issue=12, comment_id=known)
    post = PostComment(key="ask", topic=Topic.ASK_SERVICE, note="quote")
    reply = Reply(key="reply", issue=40, comment_id=9000, text="Yes.")

    def comment(issue: int, body: str, marker: str, comment_id: int | None = None) -> object:
        return "upsert_comment", (issue,), {"body": body, "marker": marker, "comment_id": comment_id}

    sticky = mark(incident, "sync_comment", "sync_comment")
    assert await asked(incident, SyncComment()) == comment(12, TEXTS.sticky(incident), sticky, known)
    posted = mark(incident, "post_comment", "ask")
    assert await asked(incident, post) == comment(12, TEXTS.notice(incident, post), posted)
    assert await asked(incident, reply) == comment(40, "Yes.", mark(incident, "reply", "reply"))
    assert await asked(incident.evolve(issue=None), reply) == comment(40, "Yes.", mark(incident, "reply", "reply"))


async def test_each_change_is_exactly_the_one_that_was_asked_for():
    """Number, head, branch and words are those of the write, plan and revert are told apart."""
    incident = incidents.waiting(issue=12).evolve(revert_plan=incidents.UNDO)
    plan = incident.plan
    assert plan is not None
    check = CompleteCheck(key="check", head_sha="h", conclusion="success", title="t", summary="s")

    def proposed(plan: Plan, *, revert: bool) -> object:
        body = TEXTS.pull_request(incident, plan, revert=revert)
        return "propose_change", (plan,), {"message": TEXTS.commit_message(incident, plan), "body": body}

    assert await asked(incident, ProposeChange(key="p")) == proposed(plan, revert=False)
    assert await asked(incident, ProposeChange(key="p", revert=True)) == proposed(incidents.UNDO, revert=True)
    assert await asked(incident, MergePull(key="m", number=41, head_sha="h")) == (
        *("merge", (41,)),
        {"head_sha": "h", "title": TEXTS.merge_title(incident, 41)},
    )
    assert await asked(incident, ClosePull(key="c", number=41, branch="b")) == ("close_pull", (41,), {"branch": "b"})
    assert await asked(incident, check) == (
        *("complete_check", ("h",)),
        {"conclusion": "success", "title": "t", "summary": "s"},
    )


@pytest.mark.parametrize("completed", [True, False])
async def test_reactions_labels_and_the_close_are_those_that_were_asked_for(*, completed: bool):
    """On the issue of the incident, or on the comment that was written."""
    incident = incidents.waiting(issue=12)

    assert await asked(incident, React(key="r", comment_id=9000, reaction=Reaction.DONE)) == (
        *("react", (9000, Reaction.DONE)),
        {},
    )
    assert await asked(incident, LabelIssue(key="l", add=("a",), remove=("b",))) == (
        *("label_issue", (12,)),
        {"add": ("a",), "remove": ("b",)},
    )
    assert await asked(incident, CloseIssue(completed=completed)) == ("close_issue", (12,), {"completed": completed})


async def test_what_is_refused_for_want_of_an_issue_says_so(shop: Shop, waiting: Incident):
    """The reason is in the audit."""
    homeless = waiting.evolve(issue=None)

    for write in (SyncComment(), PostComment(key="p", topic=Topic.ESCALATION), CloseIssue(), LabelIssue(key="l")):
        assert await deliver(homeless, write, shop.forge, TEXTS) == Refused(reason="the incident has no issue yet")

"""People open, complete, close and reopen incidents as issues."""

from datetime import datetime

import pytest

from agents.incident import TERMINAL, Agent, Incident, Merge, Stage
from agents.testing.github import REPO
from agents.testing.scenarios import pool_signal
from agents.testing.shop import Shop
from agents.writes import ClosePull, PostComment, Reply, SyncComment, Topic
from bot.events import IssuesEvent
from bot.handlers.deps import id_of_issue
from bot.handlers.issues import handle
from bot.handlers.naming import named_service
from telemetry.model import Severity
from tests.unit.bot.handlers.webhooks import BOT, WHEN, issue, labels, webhook
from tests.unit.bot.story import Story


def event(
    action: str, *, sender: dict[str, object] | None = None, label: str | None = None, **fields: object
) -> IssuesEvent:
    """Return an `issues` webhook about issue 7."""
    extra = {"label": {"name": label}} if label else {}
    made = webhook("issues", action, issue=issue(**fields), **({"sender": sender} if sender else {}), **extra)
    assert isinstance(made, IssuesEvent)
    return made


async def opened(story: Story, **fields: object) -> Incident:
    """Return the incident that an issue with the label opens."""
    found = await handle(None, event("opened", labels=labels("incident"), **fields), story.deps)
    assert found is not None
    return found


async def test_an_issue_that_names_a_service_is_observed():
    """Service, issue, title and who opened it are taken over; nobody is asked anything."""
    found = await opened(Story(), title="Quote is slow", body="since noon")

    assert found.stage is Stage.OBSERVING
    assert found.service == "quote"
    assert (found.issue, found.opened_by, found.title) == (7, "maria", "Quote is slow")
    assert found.outgoing == (SyncComment(),)


async def test_an_issue_that_names_none_is_asked_about_once():
    """The question lists the services that the configuration knows; a second unclear answer is not asked again."""
    story = Story()
    found = await opened(story, title="Checkout hangs")

    questions = [write for write in found.outgoing if isinstance(write, PostComment)]

    assert found.stage is Stage.AWAITING_INFO
    assert [(write.topic, write.note.splitlines()) for write in questions] == [
        (Topic.ASK_SERVICE, ["gateway", "quote", "pricing"])
    ]
    again = await handle(found.evolve(outgoing=()), event("edited", title="Checkout still hangs"), story.deps)
    assert again is not None
    assert again.outgoing == ()


async def test_an_edit_that_names_the_service_goes_on():
    """The author may put it right in the issue itself."""
    story = Story()
    found = await opened(story, title="Checkout hangs")

    edited = await handle(found, event("edited", title="Checkout hangs", body="it is pricing"), story.deps)

    assert edited is not None
    assert (edited.stage, edited.service) == (Stage.OBSERVING, "pricing")
    assert edited.timeline[-1].note == "maria reported a problem with pricing."


async def test_a_comment_that_names_the_service_goes_on():
    """So may anybody in a comment."""
    story = Story()
    found = (await opened(story, title="Checkout hangs")).evolve(outgoing=())

    told = await story.says(found, "rita", "I think it is the gateway")

    assert told.service == "gateway"
    assert told.stage is not Stage.AWAITING_INFO


async def test_a_label_makes_an_incident_of_an_old_issue():
    """Only the label that makes incidents does."""
    deps = Story().deps

    assert await handle(None, event("labeled", label="incident", title="quote"), deps) is not None
    assert await handle(None, event("labeled", label="bug", title="quote", labels=labels("incident")), deps) is None
    assert await handle(None, event("opened", title="quote"), deps) is None
    assert await handle(None, event("labeled", label="incident", title="quote", state="closed"), deps) is None


async def test_our_own_issue_is_no_new_incident():
    """Not when we open it, and not when a person labels it; a person who copied the mark is a person."""
    story = Story()
    mark = story.markers.make("issue", "inc-1", "open_issue")
    body = f"quote fails\n{mark}"

    ours = event("opened", sender=BOT, user=BOT, labels=labels("incident"), body=body)
    relabelled = event("labeled", label="incident", user=BOT, body=body)
    copied = event("opened", labels=labels("incident"), body=body)

    assert await handle(None, ours, story.deps) is None
    assert await handle(None, relabelled, story.deps) is None
    assert await handle(None, copied, story.deps) is not None


async def test_an_issue_in_a_repository_without_configuration_is_told_so():
    """It waits, and says what is missing instead of guessing."""
    found = await opened(Story(Shop(config=None)), title="quote is slow")

    problem = next(write for write in found.outgoing if isinstance(write, PostComment))
    assert found.stage is Stage.AWAITING_INFO
    assert problem.topic is Topic.CONFIG_PROBLEM
    assert problem.key == "config_problem"
    assert "does not exist" in problem.note


async def test_an_issue_that_a_person_closes_ends_the_incident():
    """Its pull request is withdrawn with it."""
    story = Story()
    found = await story.signalled(pool_signal())
    assert found.pull_request is not None

    closed = await handle(found, event("closed", number=found.issue), story.deps)

    assert closed is not None
    assert closed.stage is Stage.DISMISSED
    assert closed.timeline[-1].note == "maria closed the issue."
    assert [write.number for write in closed.outgoing if isinstance(write, ClosePull)] == [found.pull_request.number]


@pytest.mark.parametrize("stage", [Stage.LEARNING, Stage.EVOLVING, Stage.RESOLVED, Stage.ESCALATED])
async def test_closing_changes_nothing_once_the_end_is_decided(stage: Stage):
    """What is being closed, or has ended, keeps its outcome."""
    story = Story()
    found = (await opened(story, title="quote")).evolve(stage=stage, outgoing=())

    assert await handle(found, event("closed"), story.deps) == found


async def test_closing_by_the_bot_is_no_order():
    """Our own close, or another bot's, dismisses nothing."""
    story = Story()
    found = await opened(story, title="quote")

    assert await handle(found, event("closed", sender=BOT), story.deps) == found


async def test_reopening_an_ended_incident_is_answered():
    """It is not taken up again, and the answer says what to do instead; each time it happens, once."""
    story = Story()
    found = (await opened(story, title="quote")).evolve(stage=Stage.DISMISSED, outgoing=())

    answered = await handle(found, event("reopened"), story.deps)

    assert answered is not None
    assert answered.stage is Stage.DISMISSED
    replies = [write for write in answered.outgoing if isinstance(write, Reply)]
    assert len(replies) == 1
    assert "opens a new issue by itself" in replies[0].text


@pytest.mark.parametrize(
    ("texts", "service"),
    [
        (("Quote is down",), "quote"),
        (("misquoted", "quotes"), None),
        (("pre-quote", "quote-v2"), "quote-v2"),
        (("gateway, then quote",), "gateway"),
        (("nothing here", "(pricing)"), "pricing"),
        (("quote.", "gateway"), "quote"),
        (("quote.v3 hangs",), "quote.v3"),
        ((), None),
    ],
)
def test_a_service_is_named_by_a_whole_word(texts: tuple[str, ...], service: str | None):
    """Exact names in any case; parts of longer words are none; earlier texts go first."""
    assert named_service(["gateway", "quote", "quote-v2", "quote.v3", "pricing"], *texts) == service


@pytest.mark.parametrize("action", ["edited", "closed", "reopened"])
async def test_an_issue_that_is_no_incident_becomes_none_by_what_happens_to_it(action: str):
    """Only the label makes one."""
    assert await handle(None, event(action, title="quote", labels=labels("incident")), Story().deps) is None


@pytest.mark.parametrize("action", ["opened", "labeled"])
async def test_an_incident_is_opened_once(action: str):
    """The label may come again, and so may the webhook."""
    story = Story()
    found = await opened(story, title="quote")

    again = event(action, label="incident", title="pricing", labels=labels("incident"))

    assert await handle(found, again, story.deps) == found


async def test_an_edit_counts_only_while_the_service_is_asked_for():
    """Afterwards the issue's text is people's business."""
    story = Story()
    found = await opened(story, title="quote")

    assert await handle(found, event("edited", title="pricing"), story.deps) == found


async def test_only_a_person_opens_completes_or_reopens():
    """What an App does is no order."""
    story = Story()
    asked = await opened(story, title="Checkout hangs")
    ended = asked.evolve(stage=Stage.DISMISSED)

    assert await handle(None, event("opened", sender=BOT, title="quote", labels=labels("incident")), story.deps) is None
    assert await handle(asked, event("edited", sender=BOT, title="quote"), story.deps) == asked
    assert await handle(ended, event("reopened", sender=BOT), story.deps) == ended


@pytest.mark.parametrize("stage", sorted(TERMINAL))
async def test_reopening_any_ended_incident_is_answered_on_its_issue(stage: Stage):
    """Each time once: the key holds when it was reopened."""
    story = Story()
    ended = (await opened(story, title="quote")).evolve(stage=stage, outgoing=(), comment_id=31)

    answered = await handle(ended, event("reopened", updated_at="2026-03-02T10:11:12Z"), story.deps)

    assert answered is not None
    [reply] = answered.outgoing
    assert isinstance(reply, Reply)
    assert (reply.key, reply.issue, reply.comment_id) == ("reopened:20260302T101112", 7, 31)


async def test_reopening_before_the_first_comment_is_answered_as_well():
    """There is no comment to point at yet."""
    story = Story()
    ended = (await opened(story, title="quote")).evolve(stage=Stage.DISMISSED, outgoing=(), comment_id=None)

    answered = await handle(ended, event("reopened"), story.deps)

    assert answered is not None
    assert [write.comment_id for write in answered.outgoing if isinstance(write, Reply)] == [0]


async def test_reopening_an_incident_in_work_changes_nothing():
    """It goes on."""
    story = Story()
    found = await opened(story, title="quote")

    assert await handle(found, event("reopened"), story.deps) == found


CLOSABLE = sorted(frozenset(Stage) - TERMINAL - {Stage.LEARNING, Stage.EVOLVING})
"""Later the incident's end is decided."""


@pytest.mark.parametrize("action", ["closed", "reopened", "edited"])
async def test_an_issue_that_bears_a_copy_of_the_mark_is_another_issue(action: str):
    """What happens to it is nothing to the incident, whose issue has another number."""
    story = Story()
    found = await story.signalled(pool_signal())
    for stage in (found.stage, Stage.ESCALATED):
        known = found.evolve(stage=stage, issue=7, outgoing=())
        assert await handle(known, event(action, number=8), story.deps) == known


async def test_closing_an_issue_whose_number_is_not_stored_yet_stores_it():
    """People find the incident by it."""
    story = Story()
    opening = (await opened(story, title="quote")).evolve(stage=Stage.OPENING, issue=None, issue_url=None)
    closed = await handle(opening, event("closed"), story.deps)
    assert closed is not None
    assert (closed.stage, closed.issue) == (Stage.DISMISSED, 7)
    assert closed.issue_url == "https://github.test/acme/shop/issues/7"


@pytest.mark.parametrize("stage", CLOSABLE)
async def test_an_issue_can_be_closed_in_every_stage_before_its_end_is_decided(stage: Stage):
    """Without a fix nothing is withdrawn."""
    story = Story()
    found = (await opened(story, title="quote")).evolve(stage=stage, outgoing=())

    closed = await handle(found, event("closed"), story.deps)

    assert closed is not None
    assert closed.stage is Stage.DISMISSED
    assert (closed.timeline[-1].agent, closed.timeline[-1].at) == (Agent.HUMAN, story.github.now())
    assert not any(isinstance(write, ClosePull) for write in closed.outgoing)


async def test_a_fix_is_withdrawn_by_its_number_and_branch_unless_it_is_merged():
    """What is merged is no longer ours to close; without plan or pull request there is nothing to close."""
    story = Story()
    found = await story.signalled(pool_signal())
    assert found.pull_request is not None
    assert found.plan is not None
    number, branch = found.pull_request.number, found.plan.branch
    merged = found.evolve(stage=Stage.VERIFYING, merge=Merge(sha="f" * 40, at=story.github.now()))

    async def withdrawn(incident: Incident) -> list[ClosePull]:
        closed = await handle(incident, event("closed", number=found.issue), story.deps)
        assert closed is not None
        assert closed.stage is Stage.DISMISSED
        return [write for write in closed.outgoing if isinstance(write, ClosePull)]

    assert await withdrawn(found) == [ClosePull(key=f"close_pull:{number}", number=number, branch=branch)]
    for without in (merged, found.evolve(plan=None), found.evolve(pull_request=None)):
        assert await withdrawn(without) == []


async def test_the_issue_of_another_bot_is_an_incident_once_a_person_labels_it():
    """Only our mark makes an issue ours, and only on an issue that a bot opened."""
    found = await handle(None, event("labeled", label="incident", user=BOT, title="quote"), Story().deps)

    assert found is not None
    assert found.opened_by == BOT["login"]


async def test_the_labels_of_the_issue_count_unless_the_webhook_names_one():
    """GitHub names the label that was set; without its name those that are on the issue are looked at."""
    deps = Story().deps
    unnamed = event("labeled", title="quote", labels=labels("incident"))
    beside = event("opened", label="bug", title="quote", labels=labels("incident"))

    assert await handle(None, unnamed, deps) is not None
    assert await handle(None, beside, deps) is not None


async def test_a_reported_incident_keeps_what_the_person_wrote():
    """A long text is cut, and the clock runs from the opening of the issue."""
    story = Story()
    found = await opened(story, title="Quote is slow", body="x" * 5000)
    elsewhere = await opened(story, title="Quote is slow", number=8)

    assert found.body == "x" * 4000
    assert found.issue_url == "https://github.test/acme/shop/issues/7"
    assert found.repo.full_name == "acme/shop"
    assert found.severity is Severity.MEDIUM
    assert found.clock.onset == found.clock.detected == datetime.fromisoformat(WHEN)
    assert (found.id, elsewhere.id) == (id_of_issue(REPO.id, 7), id_of_issue(REPO.id, 8))
    assert found.id != elsewhere.id
    assert found.id != id_of_issue(REPO.id + 1, 7)
    assert elsewhere.body == ""


async def test_a_service_named_at_first_is_noted_with_who_reported_it():
    """The timeline starts with it."""
    story = Story()
    found = await opened(story, title="Quote is slow")

    assert [(entry.agent, entry.at, entry.note) for entry in found.timeline] == [
        (Agent.HUMAN, story.github.now(), "maria reported a problem with quote.")
    ]


async def test_what_is_asked_changes_with_the_reason():
    """Once the configuration can be read, the question is asked that was not asked before."""
    broken = Story(Shop(config=None))
    found = (await opened(broken, title="Checkout hangs")).evolve(outgoing=())
    assert [entry.note for entry in found.timeline] == ["The repository's configuration cannot be used."]

    asked = await handle(found, event("edited", title="Checkout hangs on"), Story().deps)

    assert asked is not None
    assert [write.key for write in asked.outgoing if isinstance(write, PostComment)] == ["ask_service"]
    assert asked.timeline[-1].note == "No known service is named."
    assert asked.timeline[-1].agent is Agent.HUMAN


def test_no_service_is_named_where_none_is_known():
    """A configuration without services names none."""
    assert named_service([], "quote") is None


def test_the_name_in_the_configuration_is_the_service():
    """However it is written in the issue, and in the configuration."""
    assert named_service(["Quote"], "qUOTE is slow") == "Quote"


def test_dots_in_a_name_are_dots():
    """They stand for nothing else."""
    assert named_service(["quote.v2"], "quotexv2") is None

"""People open, complete, close and reopen incidents as issues."""

import pytest

from agents.incident import Incident, Stage
from agents.testing.scenarios import pool_signal
from agents.testing.shop import Shop
from agents.writes import ClosePull, PostComment, Reply, SyncComment, Topic
from bot.events import IssuesEvent
from bot.handlers.issues import handle
from bot.handlers.naming import named_service
from tests.unit.bot.handlers.webhooks import BOT, issue, labels, webhook
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
        ((), None),
    ],
)
def test_a_service_is_named_by_a_whole_word(texts: tuple[str, ...], service: str | None):
    """Exact names in any case; parts of longer words are none; earlier texts go first."""
    assert named_service(["gateway", "quote", "quote-v2", "pricing"], *texts) == service

"""Signals open incidents and keep them up to date."""

from datetime import timedelta

from agents.incident import Agent, Incident, Stage
from agents.testing.builders import ONSET
from agents.testing.scenarios import bad_deploy, pool_signal
from agents.writes import OpenIssue, PostComment, SyncComment
from bot.events import SignalEvent
from bot.handlers.deps import id_of_signal
from bot.handlers.signals import handle
from telemetry.model import AnomalyState, Severity, Signal
from tests.unit.bot.story import Story


async def first(story: Story, signal: Signal) -> Incident:
    """Return the incident that a signal opens."""
    opened = await handle(None, SignalEvent(signal=signal), story.deps)
    assert opened is not None
    return opened


async def test_the_first_signal_of_a_group_opens_an_incident():
    """It waits for its issue, and knows since when, how bad and where."""
    story = Story()
    signal = pool_signal()

    opened = await first(story, signal)

    assert opened.stage is Stage.OPENING
    assert opened.outgoing == (OpenIssue(),)
    assert opened.id == id_of_signal(signal)
    assert opened.title == "quote: 45 % of GET /quote/{sku} requests fail"
    assert (opened.service, opened.severity) == ("quote", Severity.HIGH)
    assert (opened.clock.onset, opened.clock.detected) == (signal.onset, signal.detected)
    assert opened.repo.full_name == "acme/shop"


async def test_a_group_has_one_incident_whatever_signal_comes_first():
    """The id depends on the group alone: a signal that is delivered twice opens nothing new."""
    one, two = pool_signal(), pool_signal().model_copy(update={"sequence": 2})

    assert id_of_signal(one) == id_of_signal(two)
    assert id_of_signal(one) != id_of_signal(one.model_copy(update={"tenant": "other"}))


async def test_a_group_that_has_closed_opens_nothing():
    """What is over by the time that it is heard of is no incident."""
    signal = pool_signal()
    closed = tuple(found.model_copy(update={"state": AnomalyState.CLOSED}) for found in signal.anomalies)

    over = SignalEvent(signal=signal.model_copy(update={"anomalies": closed}))

    assert await handle(None, over, Story().deps) is None


async def test_a_later_signal_brings_evidence_and_severity_up_to_date():
    """Before the diagnosis all is taken over; the worse severity stays."""
    story = Story()
    opened = (await first(story, pool_signal())).evolve(issue=7, stage=Stage.OBSERVING)
    later = pool_signal(bad_deploy()).model_copy(update={"sequence": 2, "severity": Severity.CRITICAL})

    updated = await handle(opened, SignalEvent(signal=later), story.deps)

    assert updated is not None
    assert updated.signal == later
    assert updated.severity is Severity.CRITICAL
    assert updated.stage is Stage.OBSERVING
    assert SyncComment() in updated.outgoing
    milder = later.model_copy(update={"sequence": 3, "severity": Severity.LOW})
    again = await handle(updated, SignalEvent(signal=milder), story.deps)
    assert again is not None
    assert again.severity is Severity.CRITICAL


async def test_evidence_that_a_diagnosis_cites_stays():
    """Ids like E3 must not come to mean something else; the anomalies are taken over all the same."""
    story = Story()
    waiting = await story.signalled(pool_signal())
    later = pool_signal(bad_deploy()).model_copy(update={"sequence": 2})
    later = later.model_copy(update={"anomalies": later.anomalies[:1]})

    updated = await handle(waiting, SignalEvent(signal=later), story.deps)

    assert updated is not None
    assert updated.signal is not None
    assert waiting.signal is not None
    assert updated.signal.evidence == waiting.signal.evidence
    assert updated.signal.anomalies == later.anomalies
    assert updated.stage is Stage.AWAITING_APPROVAL


async def test_an_old_signal_changes_nothing():
    """Signals may come twice and out of order."""
    story = Story()
    opened = await first(story, pool_signal().model_copy(update={"sequence": 3}))

    for sequence in (3, 2):
        old = pool_signal(bad_deploy()).model_copy(update={"sequence": sequence})
        assert await handle(opened, SignalEvent(signal=old), story.deps) == opened


async def test_a_fault_that_comes_back_after_the_end_is_said_once():
    """The incident stays ended; a comment says that the fault is back."""
    story = Story()
    ended = (await first(story, pool_signal())).evolve(issue=7, outgoing=())
    ended = (
        ended.evolve(stage=Stage.EVOLVING)
        .move(Stage.RESOLVED, Agent.JULES, "Over.", story.github.now())
        .evolve(outgoing=())
    )
    again = pool_signal().model_copy(update={"sequence": 2})
    onset = ONSET + timedelta(minutes=10)
    back = again.model_copy(
        update={"anomalies": tuple(found.model_copy(update={"onset": onset}) for found in again.anomalies)}
    )

    quiet = await handle(ended, SignalEvent(signal=again), story.deps)
    told = await handle(ended, SignalEvent(signal=back), story.deps)

    assert quiet is not None
    assert quiet.outgoing == ()
    assert told is not None
    assert told.stage is Stage.RESOLVED
    assert [write.key for write in told.outgoing if isinstance(write, PostComment)] == ["flapping:2"]

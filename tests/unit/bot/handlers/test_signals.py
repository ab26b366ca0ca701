"""Signals open incidents and keep them up to date."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agents.incident import TERMINAL, Agent, Incident, RepoRef, Stage
from agents.signature import incident_signature
from agents.testing.builders import ONSET, REPO
from agents.testing.scenarios import bad_deploy, pool_signal
from agents.writes import OpenIssue, PostComment, SyncComment, Topic
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


def shown(signal: Signal, **changes: object) -> Signal:
    """Return a signal whose anomalies have all changed."""
    return signal.model_copy(
        update={"anomalies": tuple(found.model_copy(update=changes) for found in signal.anomalies)}
    )


async def test_the_timeline_starts_with_the_earliest_confirmed_anomaly():
    """It tells where the fault began, whatever order the anomalies come in."""
    story = Story()
    signal = pool_signal()
    early, late = (
        signal.anomalies[0].model_copy(update={"onset": ONSET + timedelta(seconds=after), "reason": reason})
        for after, reason in ((1, "first"), (5, "then"))
    )
    unconfirmed = early.model_copy(update={"onset": ONSET, "reason": "maybe", "state": AnomalyState.CLOSED})

    opened = await first(story, signal.model_copy(update={"anomalies": (unconfirmed, late, early)}))

    [entry] = opened.timeline
    assert entry.note == f"{early.key.service} {early.key.operation}: first"
    assert (entry.agent, entry.stage, entry.at) == (Agent.SCOUT, Stage.OPENING, story.github.now())
    assert (opened.tenant, opened.environment) == (signal.tenant, signal.environment)
    assert opened.signal is not None
    assert opened.signature == incident_signature(opened.signal)


async def test_a_signal_for_an_incident_without_one_is_taken_over():
    """Nothing is older than no signal."""
    story = Story()
    opened = (await first(story, pool_signal())).evolve(signal=None, stage=Stage.OBSERVING, outgoing=())

    updated = await handle(opened, SignalEvent(signal=pool_signal()), story.deps)

    assert updated is not None
    assert updated.signal == pool_signal()
    assert updated.outgoing == ()


async def test_without_a_signal_so_far_a_diagnosis_does_not_keep_evidence():
    """There is none to keep."""
    story = Story()
    waiting = (await story.signalled(pool_signal())).evolve(signal=None)
    assert waiting.diagnosis is not None

    updated = await handle(waiting, SignalEvent(signal=pool_signal(bad_deploy())), story.deps)

    assert updated is not None
    assert updated.signal == pool_signal(bad_deploy())


@pytest.mark.parametrize("stage", sorted(TERMINAL))
async def test_a_fault_that_returns_leaves_every_end_as_it_is(stage: Stage):
    """Its signal is taken over, its evidence is not; severity and stage stay."""
    story = Story()
    ended = (await first(story, pool_signal())).evolve(stage=stage, issue=7, outgoing=())
    assert ended.signal is not None
    later = ended.timeline[-1].at + timedelta(seconds=1)
    back = shown(
        pool_signal(bad_deploy()).model_copy(update={"sequence": 2, "severity": Severity.CRITICAL}), onset=later
    )

    told = await handle(ended, SignalEvent(signal=back), story.deps)

    assert told is not None
    assert (told.stage, told.severity) == (stage, ended.severity)
    assert told.signal == back.model_copy(update={"evidence": ended.signal.evidence})
    one = back.anomalies[0]
    assert told.outgoing == (
        PostComment(
            key="flapping:2", topic=Topic.FLAPPING, note=f"{one.key.service} {one.key.operation}: {one.reason}"
        ),
    )


@pytest.mark.parametrize(("after_s", "told"), [(0, False), (1, True)])
@pytest.mark.parametrize("timeline", [True, False])
async def test_a_fault_has_returned_if_it_began_after_the_end(after_s: int, *, told: bool, timeline: bool):
    """The end is the last entry of the timeline, or else the detection; an anomaly of that very moment is not new."""
    story = Story()
    ended = (await first(story, pool_signal())).evolve(stage=Stage.RESOLVED, issue=7, outgoing=())
    ended = ended if timeline else ended.evolve(timeline=())
    end = ended.timeline[-1].at if timeline else ended.clock.detected
    back = shown(pool_signal().model_copy(update={"sequence": 2}), onset=end + timedelta(seconds=after_s))

    after = await handle(ended, SignalEvent(signal=back), story.deps)

    assert after is not None
    assert bool(after.outgoing) is told


async def test_a_fault_that_returns_is_told_nowhere_without_an_issue_or_without_a_confirmed_anomaly():
    """There is nowhere to say it, or nothing to say."""
    story = Story()
    ended = (await first(story, pool_signal())).evolve(stage=Stage.RESOLVED, issue=7, outgoing=())
    back = shown(pool_signal().model_copy(update={"sequence": 2}), onset=ended.timeline[-1].at + timedelta(seconds=1))
    over = shown(back, state=AnomalyState.CLOSED)

    for incident, signal in ((ended.evolve(issue=None), back), (ended, over)):
        after = await handle(incident, SignalEvent(signal=signal), story.deps)
        assert after is not None
        assert after.outgoing == ()
        assert after.signal is not None
        assert after.signal.sequence == 2


def test_a_group_is_told_apart_by_its_environment_and_its_name():
    """Two faults, or one fault in two environments, are two incidents."""
    one = pool_signal()

    others = [one.model_copy(update=changed) for changed in ({"environment": "staging"}, {"group_id": "other"})]

    assert len({id_of_signal(each) for each in (one, *others)}) == 3


@pytest.mark.parametrize(
    ("known", "told", "kept"),
    [
        (Severity.MEDIUM, Severity.LOW, Severity.MEDIUM),
        (Severity.LOW, Severity.MEDIUM, Severity.MEDIUM),
        (Severity.HIGH, Severity.CRITICAL, Severity.CRITICAL),
        (Severity.CRITICAL, Severity.HIGH, Severity.CRITICAL),
    ],
)
async def test_the_worse_of_two_severities_is_kept(known: Severity, told: Severity, kept: Severity):
    """By how bad they are, not by their names."""
    story = Story()
    opened = (await first(story, pool_signal())).evolve(severity=known)
    later = pool_signal().model_copy(update={"sequence": 2, "severity": told})

    updated = await handle(opened, SignalEvent(signal=later), story.deps)

    assert updated is not None
    assert updated.severity is kept


async def test_an_incident_belongs_to_the_tenant_environment_and_repository_of_its_signal():
    """Each has its own."""
    story = Story()
    signal = pool_signal().model_copy(update={"tenant": "other", "environment": "staging"})
    elsewhere = REPO.model_copy(update={"name": "elsewhere"})

    async def home(asked: Signal) -> RepoRef:
        assert asked == signal
        return elsewhere

    opened = await handle(None, SignalEvent(signal=signal), replace(story.deps, repo_of=home))

    assert opened is not None
    assert (opened.tenant, opened.environment, opened.repo) == ("other", "staging", elsewhere)

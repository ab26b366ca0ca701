"""The table of stages: every way is listed, and no other is gone."""

from datetime import UTC, datetime

import pytest

from agents.errors import IllegalMoveError
from agents.incident import TERMINAL, Agent, Stage
from agents.stages import ACTS, ENDING, FOLLOWS, diagram, ways_from
from agents.testing.builders import incident
from agents.writes import SyncComment

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("before", Stage)
def test_a_move_goes_the_listed_ways_only(before: Stage):
    """A way that the table does not list is refused, for `move` as for `enter`."""
    seen = incident(None, before)
    for after in set(Stage) - {before}:
        for go in (lambda to=after: seen.move(to, Agent.HUMAN, "It went on.", NOW), lambda to=after: seen.enter(to)):
            if after in ways_from(before):
                assert go().stage is after
                continue
            with pytest.raises(IllegalMoveError, match=f"inc-1 cannot go from {before} to {after}"):
                go()


@pytest.mark.parametrize("stage", Stage)
def test_an_incident_may_say_something_without_leaving_its_stage(stage: Stage):
    """A note on the timeline is no move, not even after the end."""
    noted = incident(None, stage).move(stage, Agent.HUMAN, "Somebody said something.", NOW)
    assert (noted.stage, noted.timeline[-1].note) == (stage, "Somebody said something.")


def test_entering_a_stage_says_nothing_and_moving_says_it_once():
    """`enter` is for what people were told before: no entry on the timeline, no new comment."""
    approved = incident(None, Stage.APPROVED)
    assert approved.enter(Stage.MERGING).timeline == ()
    assert approved.enter(Stage.MERGING).outgoing == ()
    moved = approved.move(Stage.MERGING, Agent.HUMAN, "Approved.", NOW)
    assert [entry.note for entry in moved.timeline] == ["Approved."]
    assert moved.outgoing == (SyncComment(),)


@pytest.mark.parametrize("stage", [Stage.APPROVED, Stage.VERIFYING])
def test_a_new_stage_forgets_when_the_old_one_wanted_to_be_woken(stage: Stage):
    """Otherwise an agent would sleep through its turn."""
    waiting = incident(None, stage, wake_at=NOW)
    assert waiting.enter(Stage.ESCALATED).wake_at is None


def test_everything_that_has_not_ended_can_be_handed_to_people_and_what_has_ended_has_no_way():
    """Escalation is open from everywhere; a closed issue dismisses what has not recovered."""
    for stage in Stage:
        ways = ways_from(stage)
        assert (Stage.ESCALATED in ways) is (stage not in TERMINAL)
        assert (Stage.DISMISSED in ways) is (stage not in TERMINAL | ENDING)
        assert bool(ways) is (stage not in TERMINAL)


def test_the_usual_ways_keep_their_words_in_the_diagram():
    """Each way is one line with its reason; the way out that is also a usual one has the usual words."""
    lines = diagram().splitlines()
    for stage, ways in FOLLOWS.items():
        for after, why in ways.items():
            assert lines.count(f"    {stage} --> {after}: {why}") == 1
    ways = [line for line in lines if "-->" in line and "[*]" not in line]
    assert (
        len(ways) == len({tuple(line.split(":")[0].split()) for line in ways}) == sum(len(ways_from(s)) for s in Stage)
    )
    assert all(f"    {stage}: {stage} ({agent})" in lines for stage, agent in ACTS.items())

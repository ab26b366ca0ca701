"""What waits while memory is short, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.incident import Agent, Stage
from agents.testing.builders import incident
from agents.testing.scenarios import pool_signal
from bot.pausing import CAN_WAIT, NOTE, PATIENCE, pausing

START = datetime(2026, 5, 31, tzinfo=UTC)


class Clock:
    """Time that a test moves."""

    def __init__(self):
        self.at = START

    def __call__(self):
        return self.at


async def finish(incident):
    """Stand for a step that ends the incident."""
    return incident.move(Stage.RESOLVED, Agent.JULES, "Done.", START)


async def test_jules_waits_with_one_note_and_goes_on_when_memory_is_there_again():
    """Every look sets the next wake-up; the timeline says it once."""
    short, clock, paused = [True], Clock(), []
    step = pausing(Agent.JULES, finish, lambda: short[0], clock, paused.append)
    waiting = await step(incident(pool_signal(), Stage.EVOLVING))
    for _ in range(3):
        clock.at = waiting.wake_at
        waiting = await step(waiting.evolve(wake_at=None))
    assert (waiting.stage, [entry.note for entry in waiting.timeline].count(NOTE)) == (Stage.EVOLVING, 1)
    assert waiting.wake_at == clock.at + timedelta(seconds=30)
    assert paused == [Agent.JULES] * 4
    short[0] = False
    assert (await step(waiting)).stage is Stage.RESOLVED


async def test_a_limit_that_is_always_exceeded_does_not_keep_an_incident_from_ending():
    """After ten minutes the step is taken."""
    clock = Clock()
    step = pausing(Agent.JULES, finish, lambda: True, clock)
    waiting = await step(incident(pool_signal(), Stage.EVOLVING))
    clock.at = START + PATIENCE
    assert (await step(waiting)).stage is Stage.RESOLVED


@pytest.mark.parametrize("agent", [agent for agent in Agent if agent not in CAN_WAIT])
async def test_nothing_that_people_wait_for_is_put_off(agent):
    """Verification, approval, reverts and all the rest are the steps themselves."""
    assert pausing(agent, finish, lambda: True, Clock()) is finish

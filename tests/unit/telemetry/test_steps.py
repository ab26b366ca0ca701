"""Ticks and dumps of Scout in steps: pausing changes nothing."""

import asyncio

import pytest

from telemetry.detect import series_watch, traffic_watch
from telemetry.steps import in_turns, whole
from telemetry.testing import Chain, Fault


@pytest.fixture
def small_slices(monkeypatch):
    """Pause after every series."""
    monkeypatch.setattr(series_watch, "SLICE", 1)
    monkeypatch.setattr(traffic_watch, "_SLICE", 1)


def counted(steps, pauses):
    """Pass steps on, and note the pauses."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
        pauses.append(None)
        yield


@pytest.mark.usefixtures("small_slices")
async def test_a_tick_in_turns_finds_what_a_tick_at_once_finds():
    """However often it pauses, signals and what was learned are the same."""
    at_once, in_steps = Chain(rate_rps=2.0), Chain(rate_rps=2.0)
    for chain in (at_once, in_steps):
        chain.run(100)
    expected = at_once.run(60, {"quote": Fault(error_ratio=0.9)})
    tick, pauses = in_steps.scout.steps, []
    in_steps.scout.tick = lambda now_s: whole(counted(tick(now_s), pauses))
    found = in_steps.run(60, {"quote": Fault(error_ratio=0.9)})
    assert [s.model_dump_json() for s in found] == [s.model_dump_json() for s in expected]
    assert found
    assert len(pauses) > 12 * 3
    assert at_once.scout.dump() == await in_turns(in_steps.scout.dump_steps())


async def test_a_cancelled_turn_leaves_the_rest_to_be_done():
    """No tick is kept by half when the process ends."""
    done = []

    def work():
        done.append(1)
        yield
        done.append(2)
        return 3

    steps = work()
    task = asyncio.create_task(in_turns(steps))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [1]
    assert whole(steps) == 3

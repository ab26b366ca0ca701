"""Scout's loop: a signal is on disk before it is told, waits while the bus is away, and no tick is kept by half."""

import asyncio

import pytest

from agents.testing.scenarios import pool_signal
from bot.observability.observer import Observer
from bot.topics import SIGNALS, arrived, guid_of
from bot.watch import Watch
from telemetry.errors import BusUnavailableError


def signal(number):
    """Return the signal of a group."""
    return pool_signal().model_copy(update={"group_id": f"g{number}"})


class World:
    """Scout, its memory and the bus, which note in one list what happens in which order."""

    def __init__(self, *found, loaded=()):
        self.found, self.loaded = list(found), loaded
        self.happened, self.away, self.ticks = [], False, 0
        self.paused = asyncio.Event()
        self.watch = Watch(self, self, self, observer=Observer(), ticked=self.ticked)

    def steps(self, now_s):
        """Scout: pause once, and return what is found in this tick."""
        assert now_s > 1_700_000_000
        self.paused.set()
        yield
        return self.found.pop(0) if self.found else ()

    def load(self):
        """Memory: return what was not told before the last end."""
        return self.loaded

    async def keep(self, held, *, changed):
        """Memory: note what is written."""
        if changed:
            self.happened.append(("kept", [one.group_id for one in held]))

    async def keep_all(self, held):
        """Memory: note what is written at the end."""
        self.happened.append(("kept at the end", [one.group_id for one in held]))

    async def publish(self, topic, key, value):
        """Bus: take a message, unless it is away."""
        if self.away:
            raise BusUnavailableError("connection refused")
        assert topic == SIGNALS
        self.happened.append(("told", arrived(value).group_id))
        assert key == arrived(value).group_id

    def ticked(self):
        """Count a tick."""
        self.ticks += 1

    async def until(self, ticks):
        """Run until so many ticks are over."""
        running = asyncio.create_task(self.watch.run())
        while self.ticks < ticks:  # noqa: ASYNC110 - the loop tells nobody but `ticked`
            await asyncio.sleep(0.001)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """A tick is followed by the next one at once."""
    real = asyncio.sleep
    monkeypatch.setattr("bot.watch.asyncio.sleep", lambda _: real(0))


async def test_a_signal_is_on_disk_before_it_is_told():
    """Killed in between, Scout tells it after its restart; afterwards it is not kept any more."""
    world = World((signal(1), signal(2)))
    await world.until(ticks=1)
    assert world.happened[:4] == [("kept", ["g1", "g2"]), ("told", "g1"), ("told", "g2"), ("kept", [])]


async def test_what_was_not_told_before_the_last_end_is_told_first():
    """The guid is the same, so that a worker that has it already takes it once."""
    world = World((signal(2),), loaded=(signal(1),))
    await world.until(ticks=1)
    assert [what for what in world.happened if what[0] == "told"] == [("told", "g1"), ("told", "g2")]
    assert guid_of(signal(1)) == "default:g1:1"


async def test_signals_wait_in_order_while_the_bus_is_away():
    """Scout goes on watching meanwhile."""
    world = World((signal(1),), (signal(2),))
    world.away = True
    await world.until(ticks=3)
    assert [what for what, _ in world.happened] == ["kept", "kept"]
    world.away = False
    await world.until(ticks=4)
    assert world.happened[2:] == [("told", "g1"), ("told", "g2"), ("kept", [])]


async def test_a_tick_that_is_cancelled_is_done_to_its_end_and_what_it_found_is_kept():
    """Half a tick would have counted spans that no window holds."""
    world = World((signal(1),))
    running = asyncio.create_task(world.watch.run())
    await world.paused.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await world.watch.stop()
    assert world.happened == [("kept at the end", ["g1"])]

"""When Scout's memory is written, and what happens when it cannot be."""

import pytest

from bot.scout_memory import EVERY_S, ScoutMemory
from telemetry.testing import Chain, Fault


class Kept:
    """A memory with a clock of its own, over a Scout that has seen a minute."""

    def __init__(self, folder):
        self.folder = folder
        self.now_s = 1000.0
        self.chain = Chain(rate_rps=2.0)
        self.memory = ScoutMemory(folder, self.chain.scout, clock=lambda: self.now_s)

    @property
    def files(self):
        """The names that are there."""
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []


@pytest.fixture
def kept(tmp_path):
    """A memory on an empty folder."""
    return Kept(tmp_path / "scout")


async def test_everything_is_written_once_a_minute(kept):
    """Not at every tick: baselines are large."""
    kept.chain.run(60)
    await kept.memory.keep((), changed=False)
    assert kept.files == []
    kept.now_s += EVERY_S
    await kept.memory.keep((), changed=False)
    assert kept.files == ["incidents.zst", "normal.zst"]


async def test_incidents_are_written_when_they_change(kept):
    """A kill a moment later loses none."""
    kept.chain.run(60)
    await kept.memory.keep((), changed=True)
    assert kept.files == ["incidents.zst"]


async def test_a_scout_that_has_seen_nothing_overwrites_nothing(kept):
    """One that was started by mistake must not make another's memory empty."""
    await kept.memory.keep_all(())
    kept.now_s += EVERY_S
    await kept.memory.keep((), changed=True)
    assert kept.files == []


async def test_signals_that_nobody_was_told_come_back(kept):
    """Held while the bus is away, or written just before a kill."""
    kept.chain.run(100)
    untold = tuple(kept.chain.run(60, {"quote": Fault(error_ratio=0.9)}))
    assert untold
    await kept.memory.keep(untold, changed=True)
    assert ScoutMemory(kept.folder, Chain().scout, clock=lambda: kept.now_s).load() == untold


async def test_a_folder_that_cannot_be_written_does_not_stop_scout(kept):
    """It is said, and tried again."""
    kept.folder.write_text("a file where the folder should be")
    kept.chain.run(60)
    await kept.memory.keep_all(())
    assert kept.folder.is_file()

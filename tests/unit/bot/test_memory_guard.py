"""Memory Guard."""

import pytest
from structlog.testing import capture_logs

from bot.memory_guard import MemoryGuard

MB = 1024 * 1024


def guard_of(sizes, **options):
    """Return a guard with a limit of 100 MB over a process whose size is the newest of `sizes`, a look a second."""
    ticks = iter(range(1000))
    return MemoryGuard(100, resident=lambda: sizes[-1] * MB, clock=lambda: float(next(ticks)), **options)


def test_the_guard_closes_above_the_limit_and_opens_well_below_it():
    """Between 90 % and the limit it stays as it was."""
    sizes, seen = [0], []
    guard = guard_of(sizes)
    for size in (99, 101, 95, 91, 89, 95):
        sizes.append(size)
        seen.append(guard())
    assert seen == [False, True, True, True, False, False]


def test_each_change_is_told_and_logged_once():
    """Not every look."""
    sizes, told = [0], []
    guard = guard_of(sizes, changed=told.append)
    with capture_logs() as logs:
        for size in (50, 150, 150, 150, 50, 50, 150):
            sizes.append(size)
            guard()
    assert told == [True, False, True]
    assert [(log["event"], log["rss_mb"]) for log in logs] == [
        ("memory_limit_exceeded", 150),
        ("memory_limit_met", 50),
        ("memory_limit_exceeded", 150),
    ]


def test_a_closed_guard_asks_for_relief_again_and_again_until_it_can_open():
    """What can be let go of shrinks the process, so that the guard does not stay closed for ever."""
    sizes = [150]

    def shrink():
        sizes.append(sizes[-1] - 30)
        return True

    guard = guard_of(sizes, relieve=shrink)
    looks = [guard() for _ in range(8)]
    assert looks == [True] * 6 + [False, False]  # closed at 150, relieved at the fourth look and the seventh
    assert sizes == [150, 120, 90]


def test_a_guard_opens_below_its_limit_when_there_is_nothing_left_to_give():
    """What the allocator keeps between 90 % and the limit does not stop telemetry for ever."""
    sizes, gifts = [150], iter([(97, True), (96, False)])

    def shrink():
        size, more = next(gifts)
        sizes.append(size)
        return more

    guard = guard_of(sizes, relieve=shrink)
    assert [guard() for _ in range(8)] == [True] * 6 + [False, False]


@pytest.mark.parametrize("over", [True, False])
def test_the_guard_looks_at_most_twice_a_second(over):
    """Thousands of requests do not mean thousands of look-ups."""
    looks = []
    guard = MemoryGuard(100, resident=lambda: looks.append(1) or (200 if over else 0) * MB, clock=lambda: 1.0)
    for _ in range(1000):
        guard()
    assert len(looks) <= 2

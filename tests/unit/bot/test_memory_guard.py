"""Memory Guard."""

from bot.memory_guard import MemoryGuard

MB = 1024 * 1024


def test_the_guard_closes_above_the_limit_and_opens_well_below_it():
    """Between 90 % and the limit it stays as it was."""
    sizes = iter([99, 101, 95, 89, 95])
    ticks = iter(range(100))
    guard = MemoryGuard(100, resident=lambda: next(sizes) * MB, clock=lambda: next(ticks))
    assert [guard() for _ in range(5)] == [False, True, True, False, False]


def test_the_guard_looks_at_most_twice_a_second():
    """Thousands of requests do not mean thousands of look-ups."""
    looks = []
    guard = MemoryGuard(100, resident=lambda: looks.append(1) or 0, clock=lambda: 1.0)
    for _ in range(1000):
        guard()
    assert len(looks) == 1

"""Minutes to the normal windows that a fault is compared with."""

from telemetry.evidence.profiles import windows
from telemetry.profile.rows import SpanRow
from telemetry.profile.window import Profile


def minute(traces: int) -> Profile:
    """Return a profile of so many traces of one span."""
    profile = Profile()
    for n in range(traces):
        profile.add([SpanRow(bytes([n]), b"1", b"", "quote", "GET /q", n + 1, n + 2)], {})
    return profile


def test_busy_minutes_are_windows_and_quiet_ones_are_taken_together():
    """What varies between minutes shows, where a minute says enough; the rest joins the last window."""
    minutes = [minute(n) for n in (30, 5, 5, 12, 25, 3)]
    assert [window.traces for window in windows(minutes, 20)] == [30, 22, 28]


def test_minutes_are_left_as_they_are():
    """They are compared again with the next fault."""
    minutes = [minute(n) for n in (30, 5)]
    windows(minutes, 20)
    assert [found.traces for found in minutes] == [30, 5]


def test_too_few_traces_are_no_window():
    """Nothing is known to be normal then."""
    assert windows([minute(5), minute(6)], 20) == []
    assert windows([], 20) == []

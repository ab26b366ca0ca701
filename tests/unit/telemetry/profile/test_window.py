"""Profiles of windows: self time, way, steps and calls of whole traces."""

from random import Random

from telemetry.profile.rows import LogRow, SpanRow
from telemetry.profile.window import NO_CALL, Profile, self_ms

MS = 1_000_000


def span(number, parent, service, operation, start_ms, end_ms, *, error=False):
    """Return a span of trace 1 by its number."""
    up = bytes([parent]) if parent else b""
    return SpanRow(b"1", bytes([number]), up, service, operation, start_ms * MS, end_ms * MS, error)


SPANS = [
    span(1, 0, "front", "GET", 0, 100),
    span(2, 1, "front", "call", 10, 60),
    span(3, 2, "cart", "POST", 20, 50, error=True),
    span(4, 1, "front", "call", 50, 90, error=True),
]
LOGS = {b"\x03": [LogRow(30 * MS, "B", 17), LogRow(25 * MS, "A", 9)]}


def profile(spans=SPANS, logs=LOGS):
    """Return the profile of one trace."""
    result = Profile()
    result.add(spans, logs)
    return result


def test_self_time_leaves_out_the_union_of_the_children():
    """Children that overlap, or run longer than their parent, count once and within it."""
    parent = span(1, 0, "a", "x", 0, 100)
    children = [span(2, 1, "a", "y", 10, 60), span(3, 1, "a", "y", 50, 90), span(4, 1, "a", "y", 95, 300)]
    assert self_ms(parent, children) == 15.0
    assert self_ms(parent, []) == 100.0


def test_the_way_is_what_a_call_took_beyond_its_callee():
    """Only a parent in another service makes a way."""
    found = profile().way
    assert list(found) == [("front", "cart", "POST")]
    assert abs((found["front", "cart", "POST"].quantile(0.5) or 0) - 20) < 0.2


def test_steps_follow_the_clock_from_start_to_end_of_a_span():
    """Log records are put in order; a span without any goes from its start to its end."""
    found = profile().next
    assert found["cart", "POST", "^POST"] == {"A": 1}
    assert found["cart", "POST", "A"] == {"B": 1}
    assert found["cart", "POST", "B"] == {"$": 1}
    assert found["front", "GET", "^GET"] == {"$": 1}


def test_calls_are_counted_once_a_span_and_their_absence_too():
    """Two calls of one kind in a span are one; failures count where no child failed."""
    found = profile()
    assert found.calls["front", "GET"] == {("front", "call"): 1}
    assert found.calls["cart", "POST"] == {NO_CALL: 1}
    assert found.failed == {("cart", "POST"): 1, ("front", "call"): 1}


def test_a_profile_does_not_depend_on_order_and_merges():
    """Shuffled spans make the same profile, and two profiles together count what one of both would."""
    shuffled = SPANS[:]
    Random(3).shuffle(shuffled)
    one, both = profile(shuffled, {b"\x03": LOGS[b"\x03"][::-1]}), Profile.merged([profile(), profile()])
    assert (one.next, one.calls, one.work, one.failed) == (
        profile().next,
        profile().calls,
        profile().work,
        profile().failed,
    )
    assert both.work["front", "GET"] == 2
    assert both.traces == 2
    assert both.severity == {"A": 9, "B": 17}

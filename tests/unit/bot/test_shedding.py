"""What Scout lets go of while memory is short."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot.shedding import Shedding
from telemetry.state import TelemetryState
from telemetry.steps import whole
from telemetry.testing.otlp import Call, Where, traces

NOW_S = 1_000_000


def filled():
    """Return a state with a series and a failed trace of each of the last sixty minutes."""
    state = TelemetryState(clock=lambda: float(NOW_S))
    for number in range(1, 61):
        at_s = NOW_S - 60 * (61 - number)
        call = Call(number, number, 0, "GET /", Span.SPAN_KIND_SERVER, at_s - 1, at_s, "Boom")
        state.add_traces("default", traces(Where(f"service-{number}"), [call]))
    return state


def minutes(state):
    """Return of how many minutes something is left."""
    return len(state.keys())


def exemplars(state):
    """Return the failed traces that are left of the newest service."""
    found = whole(state.exemplars(("default", "default"), frozenset({"service-60"}), 0, NOW_S, "error"))
    return found.get("service-60", ())


def test_the_older_half_goes_and_again_until_ten_minutes_are_left():
    """The last ten minutes are what detection and verification need."""
    state = filled()
    assert (minutes(state), len(exemplars(state))) == (60, 1)
    shedding = Shedding(state, clock=lambda: float(NOW_S))
    more, left = [], []
    for _ in range(4):
        more.append(shedding())
        left.append(minutes(state))
    assert more == [True, True, False, False]
    assert left[0] in {32, 33}
    assert left[-2:] == [10, 10]
    assert not exemplars(state)


def test_what_is_kept_grows_old_by_the_wall_clock():
    """Event time stands still while telemetry is refused."""
    state, now = filled(), [float(NOW_S)]
    shedding = Shedding(state, clock=lambda: now[0])
    while shedding():
        pass
    now[0] += 3600
    shedding()
    assert minutes(state) == 0

"""Profiles of recent minutes: what is joined, what is too late, what is sampled, and what is let go."""

from types import SimpleNamespace

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from telemetry.profile.window import NO_CALL, Profile
from telemetry.state import Limits, TelemetryState

T0 = 1_700_000_040
"""A full minute, after the ten seconds in which the first traces may be cut off."""
WORK = ("quote", "GET /q")


def trace(state: TelemetryState, otlp: SimpleNamespace, number: int, at_s: float, *, call: bool = True) -> None:
    """Send a trace that ends at `at_s`: quote, and a call to pricing that works 20 of 60 ms."""
    spans = [otlp.span("GET /q", "server", id=number * 10 + 1, ms=80, trace=number, at_s=at_s)]
    if call:
        spans.append(
            otlp.span("GET", "client", id=number * 10 + 2, parent=number * 10 + 1, ms=60, trace=number, at_s=at_s)
        )
        served = otlp.span(
            "GET /p", "server", id=number * 10 + 3, parent=number * 10 + 2, ms=20, trace=number, at_s=at_s
        )
        state.add_traces("default", otlp.export([served], otlp.resource("pricing")))
    state.add_traces("default", otlp.export(spans, otlp.resource("quote")))


def log(
    state: TelemetryState, otlp: SimpleNamespace, number: int, at_s: float, body: str = "Quote.find#12 found"
) -> None:
    """Send a log record of quote's span in a trace."""
    request = ExportLogsServiceRequest()
    record = LogRecord(time_unix_nano=int(at_s * 1e9), severity_number=9, body=AnyValue(string_value=body))
    record.trace_id, record.span_id = number.to_bytes(16, "big"), (number * 10 + 1).to_bytes(8, "big")
    request.resource_logs.add(resource=otlp.resource("quote")).scope_logs.add(log_records=[record])
    state.add_logs("default", request)


def started(otlp: SimpleNamespace, **limits: int) -> TelemetryState:
    """Return a state that has been receiving for longer than spans of a trace need to come together."""
    state = TelemetryState(Limits(**limits))
    trace(state, otlp, 9_999, T0 - 30)
    return state


def move_on(state: TelemetryState, otlp: SimpleNamespace, to_s: float) -> None:
    """Let event time come to `to_s`."""
    state.add_traces(
        "default",
        otlp.export([otlp.span("tick", "server", trace=10**9 + int(to_s), at_s=to_s + 5)], otlp.resource("clock")),
    )


def minute(state: TelemetryState, start_s: int = T0) -> Profile:
    """Return the one profile of a minute."""
    (found,) = state.profiles("default", "default", start_s, start_s + 60)
    return found


@pytest.mark.parametrize("waited_s", [20, 70, 200])
def test_whole_traces_are_profiled_in_the_buffer_and_after_it(otlp: SimpleNamespace, waited_s: int) -> None:
    """The profile of a minute is the same while its traces are recent and when they have left."""
    state = started(otlp)
    for number in range(1, 11):
        trace(state, otlp, number, T0 + number)
    move_on(state, otlp, T0 + waited_s)
    found = minute(state)
    assert found.work[WORK] == found.traces == 10
    assert found.calls[WORK] == {("quote", "GET"): 10}
    assert found.way["quote", "pricing", "GET /p"].quantile(0.5) == pytest.approx(40, rel=0.02)
    assert found.next["quote", "GET /q", "^GET /q"] == {"$": 10}


@pytest.mark.parametrize("log_first", [True, False])
@pytest.mark.parametrize("waited_s", [20, 200])
def test_log_records_are_joined_before_or_after_their_spans(
    otlp: SimpleNamespace, *, log_first: bool, waited_s: int
) -> None:
    """Exporters of logs and of spans do not wait for each other."""
    state = started(otlp)
    if log_first:
        log(state, otlp, 1, T0 + 1)
    trace(state, otlp, 1, T0 + 1.01)
    if not log_first:
        log(state, otlp, 1, T0 + 1)
    move_on(state, otlp, T0 + waited_s)
    found = minute(state).next
    assert found["quote", "GET /q", "^GET /q"] == {"Quote.find#12": 1}
    assert found["quote", "GET /q", "Quote.find#12"] == {"$": 1}


def test_what_a_log_record_says_is_scrubbed(otlp: SimpleNamespace) -> None:
    """A site may be the words of a message, and these may name a person."""
    state = started(otlp)
    log(state, otlp, 1, T0 + 1, "welcome jane.doe@example.com to the shop")
    trace(state, otlp, 1, T0 + 1.01)
    move_on(state, otlp, T0 + 20)
    assert "jane" not in str(minute(state).next)


def test_spans_and_records_after_their_trace_are_late(otlp: SimpleNamespace) -> None:
    """Half a trace would look like work that was not done."""
    state = started(otlp)
    trace(state, otlp, 1, T0 + 1)
    move_on(state, otlp, T0 + 70)
    late = otlp.span("GET", "client", id=99, parent=11, ms=5, trace=1, at_s=T0 + 1)
    state.add_traces("default", otlp.export([late], otlp.resource("quote")))
    log(state, otlp, 1, T0 + 1)
    move_on(state, otlp, T0 + 200)
    assert minute(state).work == {WORK: 1, ("quote", "GET"): 1, ("pricing", "GET /p"): 1}
    assert state.dropped["profile_late"] == 2


def test_traces_that_may_be_cut_off_are_left_out(otlp: SimpleNamespace) -> None:
    """Those of the first ten seconds, those without their root yet, those with more spans than fit."""
    state = TelemetryState(Limits(max_spans_per_trace=3))
    trace(state, otlp, 1, T0)
    trace(state, otlp, 2, T0 + 40)
    trace(state, otlp, 3, T0 + 41, call=False)
    child = otlp.span("GET /p", "server", id=41, parent=49, trace=4, at_s=T0 + 42)
    state.add_traces("default", otlp.export([child], otlp.resource("pricing")))
    move_on(state, otlp, T0 + 45)
    assert minute(state).work == {WORK: 1}
    assert minute(state).calls[WORK] == {NO_CALL: 1}


def test_of_too_many_spans_whole_traces_are_sampled(otlp: SimpleNamespace) -> None:
    """The budget of a minute holds, in the buffer and after it, and every trace that is in is whole."""
    state = started(otlp, max_profiled_spans=60)
    for number in range(256):
        trace(state, otlp, number + 1, T0 + 1 + number / 10)
    move_on(state, otlp, T0 + 30)
    recent = minute(state)
    move_on(state, otlp, T0 + 120)
    gone = minute(state)
    for found in (recent, gone):
        assert 10 <= found.traces <= 20
        assert found.work == {WORK: found.traces, ("quote", "GET"): found.traces, ("pricing", "GET /p"): found.traces}
    assert state.dropped["profile_spans"] == 3 * (256 - gone.traces) + 1  # the clock's own


def test_the_share_follows_the_load_and_comes_back(otlp: SimpleNamespace) -> None:
    """The minutes after too much load take a part of the ids; calm ones take all again."""
    state = started(otlp, max_profiled_spans=60)
    for number in range(5 * 60):
        trace(state, otlp, number * 101 + 1, T0 + 1 + number)
    for number in range(100):
        trace(state, otlp, (300 + number) * 101 + 1, T0 + 301 + number * 6)
    move_on(state, otlp, T0 + 1_100)
    counts = [found.traces for found in state.profiles("default", "default", T0, T0 + 900)]
    assert len(counts) == 15
    assert min(counts[:5]) >= 3
    assert max(counts[:5]) <= 40
    assert counts[-1] == 10


def test_keys_are_bounded_by_minute_and_in_all(otlp: SimpleNamespace) -> None:
    """A minute counts what it has no room for as dropped; the oldest minute makes room for the newest."""
    state = started(otlp, max_profile_keys=6, max_profile_keys_kept=13)
    for number in range(1, 5):
        trace(state, otlp, number, T0 + 60 * number + 1)
        move_on(state, otlp, T0 + 60 * number + 70)
    assert state.dropped["profile_keys"] > 0
    assert state.dropped["profile_minutes"] > 0
    assert state.profiles("default", "default", T0, T0 + 120) == []
    (found,) = state.profiles("default", "default", T0 + 180, T0 + 240)
    assert found.keys <= 6


def test_records_are_bounded_by_whole_traces(otlp: SimpleNamespace) -> None:
    """When there is no room for more, traces are left out, not some of their records."""
    state = started(otlp, max_span_logs=60)
    for number in range(1, 100):
        log(state, otlp, number, T0 + 1)
        trace(state, otlp, number, T0 + 1)
    move_on(state, otlp, T0 + 20)
    found = minute(state)
    assert 0 < found.traces < 99
    assert found.next["quote", "GET /q", "^GET /q"] == {"Quote.find#12": found.traces}
    assert state.dropped["profile_logs"] > 0


def test_a_trace_with_too_many_records_is_left_out(otlp: SimpleNamespace) -> None:
    """A loop that logs must not take the room of all others, nor look like a request that stopped."""
    state = started(otlp, max_span_logs_per_trace=3)
    for n in range(10):
        log(state, otlp, 1, T0 + 1 + n / 100)
    trace(state, otlp, 1, T0 + 2)
    trace(state, otlp, 2, T0 + 2)
    move_on(state, otlp, T0 + 20)
    assert minute(state).traces == 1


def test_old_minutes_and_lonely_records_are_forgotten(otlp: SimpleNamespace) -> None:
    """Nothing stays for ever, and a shortage of memory takes all at once."""
    state = started(otlp)
    log(state, otlp, 77, T0 + 1)
    for minutes in range(60):
        trace(state, otlp, minutes + 1, T0 + 60 * minutes)
    move_on(state, otlp, T0 + 3_660)
    kept = state.profiles("default", "default", T0, T0 + 3_600)
    assert 39 <= len(kept) <= 42
    state.shed(T0)
    assert state.profiles("default", "default", T0, T0 + 3_600) == []


def test_environments_are_told_apart(otlp: SimpleNamespace) -> None:
    """A trace of staging is in no profile of production."""
    state = started(otlp)
    span = otlp.span("GET /q", "server", trace=1, at_s=T0 + 1)
    state.add_traces("default", otlp.export([span], otlp.resource("quote", environment="staging")))
    move_on(state, otlp, T0 + 90)
    (found,) = state.profiles("default", "staging", T0, T0 + 60)
    assert found.work == {WORK: 1}
    assert state.profiles("default", "default", T0, T0 + 60) == []
    assert state.profiles("other", "staging", T0, T0 + 60) == []

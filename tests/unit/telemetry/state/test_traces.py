"""Exemplar traces: which are kept, their self times, and the leaves of their errors."""

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.state import ExemplarTrace, Limits, TelemetryState
from telemetry.state.exemplars import covered_ns
from telemetry.state.traces import Why
from telemetry.steps import whole


def _fault(otlp: SimpleNamespace, trace: int, at_s: float, *, pricing_ms: float = 60) -> list[tuple[str, object]]:
    """Gateway (100 ms) → quote (80 ms) → pricing, which fails; its callers fail with it."""
    base = trace * 1_000
    common = {"trace": trace, "error": True, "at_s": at_s}
    return [
        ("gateway", otlp.span("GET /", "server", id=base + 1, ms=100, **common)),
        ("gateway", otlp.span("GET", "client", id=base + 2, parent=base + 1, ms=90, **common)),
        ("quote", otlp.span("GET /q", "server", id=base + 3, parent=base + 2, ms=80, **common)),
        ("quote", otlp.span("GET", "client", id=base + 4, parent=base + 3, ms=70, **common)),
        ("pricing", otlp.span("GET /p", "server", id=base + 5, parent=base + 4, ms=pricing_ms, **common)),
    ]


def _send(state: TelemetryState, otlp: SimpleNamespace, spans: list[tuple[str, object]]) -> None:
    for service, span in spans:
        state.add_traces("default", otlp.export([span], otlp.resource(service)))


def _exemplars(
    state: TelemetryState, service: str, start_s: int, end_s: int, why: Why, limit: int = 3
) -> Sequence[ExemplarTrace]:
    found = whole(state.exemplars(("default", "default"), frozenset({service}), start_s, end_s, why, limit))
    assert set(found) <= {service}
    return found.get(service, ())


def test_an_error_trace_is_whole_across_services_with_self_times(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Spans that were exported apart, and children before parents, come back as one trace in order of start."""
    _send(state, otlp, list(reversed(_fault(otlp, 7, otlp.T0))))
    (trace,) = _exemplars(state, "quote", otlp.T0, otlp.T0 + 5, "error")
    assert trace.trace_id == (7).to_bytes(16, "big").hex()
    assert [(span.service, span.operation, span.span_kind) for span in trace.spans] == [
        ("gateway", "GET /", "server"),
        ("gateway", "GET", "client"),
        ("quote", "GET /q", "server"),
        ("quote", "GET", "client"),
        ("pricing", "GET /p", "server"),
    ]
    assert [span.self_ms for span in trace.spans] == pytest.approx([10, 10, 10, 10, 60])
    assert [span.offset_ms for span in trace.spans] == pytest.approx([0, 10, 20, 30, 40])
    assert trace.spans[0].parent_id is None
    assert trace.spans[4].parent_id == trace.spans[3].span_id


def test_error_leaves_are_failures_without_a_failed_child(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Callers that fail because of their callee are not leaves."""
    for trace in (1, 2):
        _send(state, otlp, _fault(otlp, trace, otlp.T0))
    _send(state, otlp, _fault(otlp, 3, otlp.T0)[:4])
    assert state.error_leaves("default", "default", otlp.T0, otlp.T0 + 5) == {"pricing": 2, "quote": 1}
    assert state.error_leaves("default", "default", otlp.T0 + 5, otlp.T0 + 10) == {}
    assert state.error_leaves("nobody", "default", otlp.T0, otlp.T0 + 5) == {}


def test_the_slowest_traces_of_a_service_come_first(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Slow is measured at the service's own server spans."""
    for number, ms in enumerate((20, 500, 90), start=1):
        _send(state, otlp, [("quote", otlp.span(trace=number, ms=ms))])
    slow = _exemplars(state, "quote", otlp.T0, otlp.T0 + 5, "slow", limit=2)
    assert [trace.spans[0].duration_ms for trace in slow] == pytest.approx([500, 90])
    assert not _exemplars(state, "quote", otlp.T0, otlp.T0 + 5, "error")


def test_exemplars_of_many_services_come_of_one_look(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Each service has the traces that it failed in, and pauses come between traces."""
    for trace in range(1, 2_002):
        _send(state, otlp, _fault(otlp, trace, otlp.T0)[trace % 2 * 4 :])
    steps = state.exemplars(("default", "default"), frozenset({"gateway", "pricing"}), otlp.T0, otlp.T0 + 5, "error", 1)
    next(steps)
    found = whole(steps)
    assert {service: [len(trace.spans) for trace in traces] for service, traces in found.items()} == {
        "gateway": [5],
        "pricing": [5],
    }


def test_error_and_slow_traces_outlive_the_buffer(otlp: SimpleNamespace) -> None:
    """What an incident shows as `before` is still there half an hour later, bounded by service and minute."""
    state = TelemetryState()
    for number in range(1, 41):
        _send(state, otlp, _fault(otlp, number, otlp.T0 + number, pricing_ms=number))
    _send(state, otlp, [("quote", otlp.span("later", at_s=otlp.T0 + 1_800))])
    failed = _exemplars(state, "pricing", otlp.T0, otlp.T0 + 60, "error", limit=100)
    slow = _exemplars(state, "pricing", otlp.T0, otlp.T0 + 60, "slow", limit=3)
    assert 3 <= len(failed) < 20
    assert all(len(trace.spans) == 5 for trace in failed)
    assert [trace.spans[-1].duration_ms for trace in slow] == pytest.approx([40, 39, 38])


def test_a_full_buffer_keeps_errors_and_samples_whole_traces(otlp: SimpleNamespace) -> None:
    """Under load fewer traces are kept, but each of them is complete, and failures are always among them."""
    state = TelemetryState(Limits(max_buffered_spans=200, max_kept_spans=200))
    for number in range(1, 600):
        trace = number * 7919
        spans = [
            otlp.span("GET /", "server", trace=trace, id=trace * 10 + 1, ms=10),
            otlp.span("work", "internal", trace=trace, id=trace * 10 + 2, parent=trace * 10 + 1, ms=5),
        ]
        state.add_traces("default", otlp.export(spans))
    _send(state, otlp, _fault(otlp, 5, otlp.T0))
    slow = _exemplars(state, "quote", otlp.T0, otlp.T0 + 5, "slow", limit=1_000)
    kept = [trace for trace in slow if trace.spans[0].service == "quote"]
    assert 0 < len(kept) < 250
    assert {len(trace.spans) for trace in kept} == {2}
    assert len(_exemplars(state, "pricing", otlp.T0, otlp.T0 + 5, "error")) == 1


def test_notes_of_failed_spans_are_scrubbed(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """A note tells type and message without the secret in it; a call's note names its peer."""
    failure = ("app.AuthError", "password=hunter2 refused<!-- hide -->", "")
    spans = [
        otlp.span(trace=1, id=1, ms=50, exception=failure),
        otlp.span("SELECT", "client", trace=1, id=2, parent=1, db__system="mysql"),
    ]
    state.add_traces("default", otlp.export(spans))
    (trace,) = _exemplars(state, "quote", otlp.T0, otlp.T0 + 5, "error")
    assert [span.note for span in trace.spans] == ["app.AuthError: password=[redacted] refused ", "mysql"]


intervals = st.lists(st.tuples(st.integers(-50, 150), st.integers(-50, 150)), max_size=12)


@given(intervals)
def test_covered_time_is_the_union_of_the_children_within_the_span(parts: list[tuple[int, int]]) -> None:
    """Overlapping and overhanging children count once and only inside."""
    inside = {moment for start, end in parts for moment in range(max(0, start), min(100, end))}
    assert covered_ns(0, 100, parts) == len(inside)

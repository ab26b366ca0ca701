"""Windows: what is counted, where, and what is refused or dropped."""

from types import SimpleNamespace

import pytest

from telemetry.model import SeriesKey
from telemetry.state import Limits, TelemetryState

QUOTE = SeriesKey(service="quote", operation="GET /quote")


def _series(state: TelemetryState) -> list[SeriesKey]:
    return list(state.keys())


def test_server_and_consumer_spans_make_series_and_others_do_not(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """SLIs are measured where requests are served."""
    kinds = ("server", "consumer", "client", "producer", "internal")
    state.add_traces("default", otlp.export([otlp.span(f"{kind} op", kind) for kind in kinds]))
    assert {key.operation for key in _series(state)} == {"server op", "consumer op"}


def test_cells_hold_requests_errors_and_durations_by_tick(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """A request belongs to the five seconds in which it ended; empty ticks have no cell."""
    spans = [
        otlp.span(at_s=otlp.T0 + 1, ms=10),
        otlp.span(at_s=otlp.T0 + 4.9, ms=30, error=True),
        otlp.span(at_s=otlp.T0 + 16, ms=50),
    ]
    state.add_traces("default", otlp.export(spans))
    first, second = state.cells(QUOTE, otlp.T0, otlp.T0 + 60)
    assert (first.start_s, first.requests, first.errors) == (otlp.T0, 2, 1)
    assert first.sketch.quantile(1.0) == pytest.approx(30, rel=0.01)
    assert (second.start_s, second.requests, second.errors) == (otlp.T0 + 15, 1, 0)
    assert state.cells(QUOTE, otlp.T0, otlp.T0 + 15) == [first]
    red = state.red(QUOTE, otlp.T0, otlp.T0 + 60)
    assert (red.requests, red.errors) == (3, 1)
    assert red.p50_ms == pytest.approx(30, rel=0.01)


def test_cells_are_split_by_revision_and_by_version(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Verification asks how the deployed commit behaves, without its predecessor's requests."""
    old = otlp.resource(version="1.0", revision="a" * 40)
    new = otlp.resource(version="1.1", revision="b" * 40)
    state.add_traces("default", otlp.export([otlp.span(error=True), otlp.span()], old))
    state.add_traces("default", otlp.export([otlp.span()], new))
    span = (otlp.T0, otlp.T0 + 5)
    assert state.red(QUOTE, *span).requests == 3
    assert state.red(QUOTE, *span, revision="b" * 40).errors == 0
    assert state.red(QUOTE, *span, revision="1.0").requests == 2
    assert state.cells(QUOTE, *span, revision="c" * 40) == []
    assert [seen.revision for seen in state.versions("default", "default", "quote")] == ["a" * 40, "b" * 40]


def test_tenants_and_environments_are_apart(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """The same service elsewhere is another series; the older name of the environment counts too."""
    older = otlp.resource()
    older.attributes.extend(otlp.attributes({"deployment.environment": "staging"}))
    state.add_traces("acme", otlp.export([otlp.span()], otlp.resource(environment="prod")))
    state.add_traces("acme", otlp.export([otlp.span()], older))
    state.add_traces("other", otlp.export([otlp.span()]))
    assert {(key.tenant, key.environment) for key in _series(state)} == {
        ("acme", "prod"),
        ("acme", "staging"),
        ("other", "default"),
    }


@pytest.mark.parametrize(
    ("name", "attributes", "operation"),
    [
        ("GET /quote/{sku}", {}, "GET /quote/{sku}"),
        ("GET", {"http__request__method": "GET", "http__route": "/quote/{sku}"}, "GET /quote/{sku}"),
        ("HTTP GET", {"http__method": "GET", "http__route": "/q"}, "GET /q"),
        ("GET /quote/17", {}, "GET /quote/{id}"),
        ("GET /q/3f786850-e387-550f-dab8-36ed7e6dc881?x=1", {}, "GET /q/{id}"),
        ("call", {"rpc__service": "shop.Quotes", "rpc__method": "Get"}, "shop.Quotes/Get"),
        ("", {}, "(unnamed)"),
    ],
)
def test_operations_have_names_of_low_cardinality(
    state: TelemetryState, otlp: SimpleNamespace, name: str, attributes: dict[str, str], operation: str
) -> None:
    """Route and RPC method win over the span's name; identifiers in paths are masked."""
    state.add_traces("default", otlp.export([otlp.span(name, **attributes)]))
    assert [key.operation for key in _series(state)] == [operation]


def test_a_bare_method_is_looked_up_for_every_span(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """A name that says nothing is not taken for the first route that was seen under it."""
    routes = ["/a", "/b", "/a"]
    spans = [otlp.span("GET", http__request__method="GET", http__route=route) for route in routes]
    state.add_traces("default", otlp.export(spans))
    counts = {key.operation: state.red(key, otlp.T0, otlp.T0 + 5).requests for key in _series(state)}
    assert counts == {"GET /a": 2, "GET /b": 1}


def test_bad_ids_and_missing_times_are_rejected_by_count(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """What cannot be true is refused and named; the rest of the batch is taken."""
    spans = [otlp.span() for _ in range(7)]
    spans[0].trace_id = bytes(16)
    spans[1].trace_id = b"short"
    spans[2].span_id = bytes(8)
    spans[3].parent_span_id = b"123"
    spans[4].start_time_unix_nano = 0
    spans[5].end_time_unix_nano = 0
    taken = state.add_traces("default", otlp.export(spans))
    assert (taken.accepted, taken.rejected, state.spans_total) == (1, 6, 1)
    assert "4 span or trace ids" in taken.reason
    assert "2 spans without start or end time" in taken.reason


def test_a_span_sent_twice_counts_once(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """A retried export is accepted, and its spans are dropped as duplicates."""
    request = otlp.export([otlp.span(), otlp.span()])
    state.add_traces("default", request)
    taken = state.add_traces("default", request)
    assert (taken.accepted, taken.rejected) == (2, 0)
    assert state.red(QUOTE, otlp.T0, otlp.T0 + 5).requests == 2
    assert state.dropped == {"duplicates": 2}


def test_the_same_span_id_in_another_trace_is_another_span(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Duplicates are told by trace and span id together."""
    state.add_traces("default", otlp.export([otlp.span(trace=1, id=7), otlp.span(trace=2, id=7)]))
    assert state.red(QUOTE, otlp.T0, otlp.T0 + 5).requests == 2


def test_the_watermark_follows_the_newest_end_and_waits_for_late_spans(otlp: SimpleNamespace) -> None:
    """Before the first span there is none; it never goes back."""
    state = TelemetryState(Limits(lateness_s=5))
    assert state.watermark_s is None
    state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0 + 20), otlp.span(at_s=otlp.T0)]))
    state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0 + 3)]))
    assert state.watermark_s == otlp.T0 + 15


def test_a_clock_that_runs_ahead_does_not_move_the_watermark(otlp: SimpleNamespace) -> None:
    """A minute ahead is taken but event time waits for the wall clock; beyond, spans are dropped and counted."""
    state = TelemetryState(Limits(lateness_s=5, future_s=60), clock=lambda: otlp.T0 + 10)
    state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0 + 50), otlp.span(at_s=otlp.T0 + 500)]))
    assert state.watermark_s == otlp.T0 + 5
    assert state.dropped == {"future": 1}


def test_spans_older_than_the_retention_are_dropped_and_counted(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """A batch from yesterday does not bring back yesterday's windows."""
    state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0)]))
    state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0 - 86_400)]))
    assert state.dropped == {"late": 1}


def test_cells_are_kept_for_an_hour_and_then_forgotten(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Memory is bounded by the retention, and an operation that stopped leaves nothing behind."""
    state.add_traces("default", otlp.export([otlp.span(), otlp.span("GET /old")]))
    state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0 + 3_600)]))
    assert len(state.cells(QUOTE, 0, otlp.T0 + 9_999)) == 2
    state.add_traces("default", otlp.export([otlp.span(at_s=otlp.T0 + 9_000)]))
    assert [key.operation for key in _series(state)] == ["GET /quote"]
    assert [cell.start_s for cell in state.cells(QUOTE, 0, otlp.T0 + 9_999)] == [otlp.T0 + 9_000]
    state.add_traces("default", otlp.export([otlp.span("GET /old", at_s=otlp.T0 + 9_001)]))
    old = SeriesKey(service="quote", operation="GET /old")
    assert state.red(old, otlp.T0, otlp.T0 + 9_999).requests == 1


def test_operations_beyond_the_cap_are_counted_together(otlp: SimpleNamespace) -> None:
    """Names without end cannot make series without end, and no request is lost."""
    state = TelemetryState(Limits(max_operations_per_service=3, max_names_per_resource=5))
    state.add_traces("default", otlp.export([otlp.span(f"op {chr(97 + n)}") for n in range(20)]))
    counts = {key.operation: state.red(key, otlp.T0, otlp.T0 + 5).requests for key in _series(state)}
    assert counts == {"op a": 1, "op b": 1, "op c": 1, "(other)": 17}


def test_series_beyond_the_cap_are_dropped_and_counted(otlp: SimpleNamespace) -> None:
    """The cap on series holds over all services."""
    state = TelemetryState(Limits(max_series=2))
    for service in "abc":
        state.add_traces("default", otlp.export([otlp.span()], otlp.resource(service)))
    assert len(state.keys()) == 2
    assert state.dropped == {"series": 1}


def test_cells_beyond_the_budget_shorten_the_history_and_are_counted(otlp: SimpleNamespace) -> None:
    """Memory is bounded over all series, and the newest cells are the ones that stay."""
    state = TelemetryState(Limits(max_cells=10))
    for at_s in range(0, 100, 5):
        spans = [otlp.span(f"op {letter}", at_s=otlp.T0 + at_s) for letter in "ab"]
        state.add_traces("default", otlp.export(spans))
    kept = [state.cells(key, otlp.T0, otlp.T0 + 100) for key in _series(state)]
    assert sum(len(cells) for cells in kept) == 10
    assert {cells[-1].start_s for cells in kept} == {otlp.T0 + 95}
    assert state.dropped == {"cells": 30}


def test_secrets_in_names_do_not_reach_a_series(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Names are scrubbed at ingest like every other text."""
    state.add_traces("default", otlp.export([otlp.span("login jane@example.com")]))
    assert [key.operation for key in _series(state)] == ["login [redacted:email]"]


def test_a_span_that_ends_before_it_starts_has_no_duration(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """A clock that was set back makes a duration of zero, not an error."""
    state.add_traces("default", otlp.export([otlp.span(ms=-500)]))
    assert state.red(QUOTE, otlp.T0, otlp.T0 + 5).p50_ms == pytest.approx(0.001, rel=0.01)

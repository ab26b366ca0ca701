"""Where own telemetry goes, and where it must not."""

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot.app.access import metrics_token
from bot.observability.endpoint import metrics_router
from bot.observability.exporting import endpoint_of, observing
from bot.observability.ids import ids_of
from bot.observability.log_ids import add_trace_ids
from bot.settings import load_settings
from telemetry.state import Limits, TelemetryState
from telemetry.testing.otlp import Call, Where, traces


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    """Keep the settings of whoever runs the tests out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:4318", "http://localhost:4318/", "http://[::1]:4318", "http://0.0.0.0:4318"]
)
def test_own_telemetry_never_goes_to_our_own_scout(endpoint):
    """However its address is written."""
    assert endpoint_of(load_settings(otlp_endpoint=endpoint)) is None


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4319/", "http://collector:4318"])
def test_own_telemetry_goes_to_any_other_place(endpoint):
    """Another port here, or another machine."""
    assert endpoint_of(load_settings(otlp_endpoint=endpoint)) == endpoint.rstrip("/")


def test_without_an_endpoint_and_unscraped_there_is_no_sdk():
    """Off costs nothing: neither provider nor thread."""
    with observing(load_settings(), "worker", scraped=False) as own:
        assert not own.observer.traces.on
        assert list(own.registry.collect()) == []


def test_metrics_are_prometheus_text_with_our_name_and_no_more():
    """Resource attributes, memory, and what was counted."""
    with observing(load_settings(), "web", scraped=True) as own:
        own.observer.meters.webhook("issues", "stored")
        app = FastAPI()
        app.include_router(metrics_router(own.registry, None))
        answer = TestClient(app).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'sre_space_webhooks_total{event="issues",outcome="stored"} 1.0' in answer.text
    assert 'service_name="sre-space-web"' in answer.text
    assert "process_memory_usage_bytes " in answer.text


def test_metrics_want_their_token_where_there_is_one():
    """Neither none nor a wrong one."""
    with observing(load_settings(), "web", scraped=True) as own:
        app = FastAPI()
        app.include_router(metrics_router(own.registry, "s" * 16))
        client = TestClient(app)
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"authorization": "Bearer ÿ".encode("latin-1")}).status_code == 401
        assert client.get("/metrics", headers={"authorization": f"Bearer {'s' * 16}"}).status_code == 200


def test_metrics_are_open_on_loopback_only():
    """Elsewhere they need a token."""
    assert metrics_token(load_settings(), "127.0.0.1") == (True, None)
    assert metrics_token(load_settings(), "10.0.0.1") == (False, None)
    assert metrics_token(load_settings(metrics_token="t" * 16), "10.0.0.1") == (True, "t" * 16)


def test_log_lines_carry_the_ids_of_their_trace(seen):
    """Inside of an incident, and nowhere else."""
    trace = ids_of("incident", "inc-1")
    with seen.observer.about("inc-1"):
        inside = add_trace_ids(structlog.get_logger(), "info", {"event": "step_finished"})
    assert inside["trace_id"] == f"{trace.trace_id:032x}"
    assert inside["span_id"] == f"{trace.span_id:016x}"
    assert add_trace_ids(structlog.get_logger(), "info", {"event": "x"}) == {"event": "x"}


def test_scout_does_not_look_at_our_own_processes():
    """Should a Collector send our own traces on to Scout, they are counted and left out."""
    state = TelemetryState(Limits(ignored_service_prefix="sre-space-"), clock=lambda: 1_000_000.0)
    for number, service in enumerate(("sre-space-worker", "quote"), start=1):
        call = Call(number, number, 0, "GET /", Span.SPAN_KIND_SERVER, 999_999, 1_000_000)
        state.add_traces("default", traces(Where(service), [call]))
    watched = state.keys()
    assert [key.service for key in watched] == ["quote"]
    assert state.dropped == {"ignored_resources": 1}

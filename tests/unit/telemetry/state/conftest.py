"""Builders of OTLP messages for the tests of the state; times are Unix seconds near `T0`."""

import itertools
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from telemetry.state import TelemetryState

T0 = 1_700_000_000
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_ids = itertools.count(1)


def attributes(values: Mapping[str, str | int | float]) -> list[KeyValue]:
    """Return OTLP attributes."""
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: str | float) -> AnyValue:
    match value:
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)


def resource(service: str = "quote", **more: str) -> Resource:
    """Return a resource; keyword `version` and `revision` stand for their attributes."""
    names = {
        "version": "service.version",
        "revision": "vcs.ref.head.revision",
        "environment": "deployment.environment.name",
        "instance": "service.instance.id",
    }
    return Resource(
        attributes=attributes({"service.name": service} | {names[key]: value for key, value in more.items()})
    )


def span(  # noqa: PLR0913 — a builder: each test names only what it is about
    name: str = "GET /quote",
    kind: str = "server",
    *,
    at_s: float = T0,
    ms: float = 10.0,
    error: bool = False,
    trace: int | None = None,
    id: int | None = None,  # noqa: A002 — what OTLP calls it
    parent: int | None = None,
    message: str = "",
    exception: tuple[str, str, str] | None = None,
    **more: str | int,
) -> Span:
    """Return a span that ends at `at_s` after `ms` milliseconds; `__` in keywords stands for a dot."""
    end_ns = int(at_s * 1_000_000) * 1_000
    result = Span(
        trace_id=(trace or next(_ids)).to_bytes(16, "big"),
        span_id=(id or next(_ids)).to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        kind=_KINDS[kind],
        start_time_unix_nano=end_ns - int(ms * 1e6),
        end_time_unix_nano=end_ns,
        attributes=attributes({key.replace("__", "."): value for key, value in more.items()}),
    )
    if error or exception:
        result.status.code = 2
        result.status.message = message
    if exception:
        names = ("exception.type", "exception.message", "exception.stacktrace")
        result.events.add(name="exception").attributes.extend(attributes(dict(zip(names, exception, strict=True))))
    return result


def export(spans: Sequence[Span], sender: Resource | None = None) -> ExportTraceServiceRequest:
    """Return an export request of one resource."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(resource=sender or resource())
    group.scope_spans.add(spans=spans)
    return request


@pytest.fixture
def state() -> TelemetryState:
    """Return an empty state with default limits."""
    return TelemetryState()


@pytest.fixture
def otlp() -> SimpleNamespace:
    """Return the builders: `span`, `resource`, `export`, `attributes`, and `T0`."""
    return SimpleNamespace(span=span, resource=resource, export=export, attributes=attributes, T0=T0)

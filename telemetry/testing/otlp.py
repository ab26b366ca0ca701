"""OTLP export requests made by hand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Where:
    """The resource that sends."""

    service: str
    revision: str = "a" * 40
    version: str = "1.0.0"
    environment: str = "default"
    instance: str = "1"


@dataclass(frozen=True, slots=True)
class Call:
    """One span; times in Unix seconds. `error` is an exception type, empty for success."""

    trace: int
    span: int
    parent: int
    name: str
    kind: "Span.SpanKind.ValueType"
    start_s: float
    end_s: float
    error: str = ""
    message: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


def traces(where: Where, calls: Iterable[Call]) -> ExportTraceServiceRequest:
    """Return an export request with the spans of one resource."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.CopyFrom(_resource(where))
    group.scope_spans.add().spans.extend(_span(call) for call in calls)
    return request


def _span(call: Call) -> Span:
    span = Span(
        trace_id=call.trace.to_bytes(16, "big"),
        span_id=call.span.to_bytes(8, "big"),
        parent_span_id=call.parent.to_bytes(8, "big") if call.parent else b"",
        name=call.name,
        kind=call.kind,
        start_time_unix_nano=int(call.start_s * _NS),
        end_time_unix_nano=int(call.end_s * _NS),
        attributes=_attributes(call.attributes),
    )
    if call.error:
        span.status.code = Status.STATUS_CODE_ERROR
        event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano)
        event.attributes.extend(_attributes({"exception.type": call.error, "exception.message": call.message}))
    return span


def gauges(
    where: Where, at_s: float, values: Mapping[str, float], attributes: Mapping[str, str] | None = None
) -> ExportMetricsServiceRequest:
    """Return an export request with one point of each named gauge, all with the same attributes."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.CopyFrom(_resource(where))
    scope = group.scope_metrics.add()
    for name, value in values.items():
        point = scope.metrics.add(name=name).gauge.data_points.add(time_unix_nano=int(at_s * _NS), as_double=value)
        point.attributes.extend(_attributes(attributes or {}))
    return request


def _resource(where: Where) -> Resource:
    described = {
        "service.name": where.service,
        "service.version": where.version,
        "service.instance.id": where.instance,
        "vcs.ref.head.revision": where.revision,
        "deployment.environment.name": where.environment,
    }
    return Resource(attributes=_attributes(described))


def _attributes(values: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]

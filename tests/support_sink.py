"""A small OTLP/HTTP receiver that keeps the spans and the names of the metrics that it gets."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import uvicorn
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support_redis import free_port
from tests.support_world import until


class Sink:
    """What came in."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.spans: list[tuple[str, Span]] = []
        self.metrics: set[tuple[str, str]] = set()
        self.services: dict[str, str] = {}

    def of_trace(self, trace_id: bytes) -> Sequence[tuple[str, Span]]:
        """Return (service.name, span) of one trace, in the order in which the spans began."""
        found = [(service, span) for service, span in self.spans if span.trace_id == trace_id]
        return sorted(found, key=lambda one: one[1].start_time_unix_nano)

    def _from(self, resource: Resource) -> str:
        attributes = {one.key: one.value.string_value for one in resource.attributes}
        self.services[attributes["service.name"]] = attributes["service.version"]
        return attributes["service.name"]

    async def traces(self, request: Request) -> Response:
        """Take spans in."""
        for group in ExportTraceServiceRequest.FromString(await request.body()).resource_spans:
            service = self._from(group.resource)
            self.spans += [(service, span) for scope in group.scope_spans for span in scope.spans]
        return _ok(ExportTraceServiceResponse().SerializeToString())

    async def metric_names(self, request: Request) -> Response:
        """Take metrics in."""
        for group in ExportMetricsServiceRequest.FromString(await request.body()).resource_metrics:
            service = self._from(group.resource)
            self.metrics |= {(service, metric.name) for scope in group.scope_metrics for metric in scope.metrics}
        return _ok(ExportMetricsServiceResponse().SerializeToString())


def _started(server: uvicorn.Server) -> Callable[[], Awaitable[bool]]:
    async def started() -> bool:
        return server.started

    return started


def _ok(content: bytes) -> Response:
    return Response(content, media_type="application/x-protobuf")


@contextlib.asynccontextmanager
async def running_sink():
    """Yield a sink that listens for the length of the block."""
    port = free_port()
    sink = Sink(port)
    app = Starlette(
        routes=[
            Route("/v1/traces", sink.traces, methods=["POST"]),
            Route("/v1/metrics", sink.metric_names, methods=["POST"]),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    try:
        await until(_started(server), "the sink")
        yield sink
    finally:
        server.should_exit = True
        await serving


def tree(spans: Sequence[tuple[str, Span]]) -> str:
    """Return the spans of one trace as a tree of text: seconds since the root began, service, name, duration."""
    known = {span.span_id for _, span in spans}
    (root,) = [span for _, span in spans if not span.parent_span_id]
    lines: list[str] = []

    def show(parent: bytes, depth: int) -> None:
        for service, span in spans:
            if span.parent_span_id == parent:
                offset_s = (span.start_time_unix_nano - root.start_time_unix_nano) / 1e9
                length_ms = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
                links = "  ⇐ link" if span.links else ""
                lines.append(f"{offset_s:8.2f} s  {'  ' * depth}{span.name}  {length_ms:.0f} ms  {service}{links}")
                show(span.span_id, depth + 1)

    show(b"", 0)
    assert all(not span.parent_span_id or span.parent_span_id in known for _, span in spans)
    return "\n".join(lines)

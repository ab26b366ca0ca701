"""Export requests as a busy SDK sends them: spans of about 550 bytes with ten attributes, 512 to a batch."""

from collections.abc import Iterator
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

BATCH = 512
"""Spans of one request: the batch size of the SDKs."""

MARK = b"\xf7\xe1\xd3\xc5"
"""What all ids begin with, until `again` replaces it."""

_STACK = """Traceback (most recent call last):
  File "/srv/app/orders.py", line 41, in place
    session.execute(query)
TimeoutError: QueuePool limit of size 5 overflow 10 reached"""
_TRACES = -(-BATCH // 3)
_DEPTH = 4
_NS = 1_000_000_000
_KINDS = (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT)
_ERRORS = 0.01


class Load:
    """Traffic of `services` × `operations`, seeded; each batch is of one service.

    All ids carry `MARK`, so that `again` makes other ids of a serialized batch, much faster than making a new one.

    A trace goes through four services, in each of them through a SERVER, an INTERNAL and a CLIENT span, and the next
    batch is that of the called service. One trace in a hundred fails with an exception event.
    """

    def __init__(self, services: int, operations: int, seed: int = 1) -> None:
        self._random = Random(seed)
        self._services = services
        self._operations = operations
        self._batches = 0
        self._calls: list[tuple[bytes, bytes]] = []

    def batch(self, at_s: float) -> ExportTraceServiceRequest:
        """Return the next batch, whose spans end within the second before `at_s` (Unix seconds)."""
        service = self._batches % self._services
        calls = self._calls if self._batches % _DEPTH else [(self._id(16), b"") for _ in range(_TRACES)]
        self._batches += 1
        self._calls = []
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        group.resource.attributes.extend(
            _attributes(
                {
                    "service.name": f"service-{service}",
                    "service.version": "1.4.2",
                    "service.instance.id": f"service-{service}-5d8f7c9b6d-x2x7p",
                    "deployment.environment.name": "production",
                    "vcs.ref.head.revision": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
                }
            )
        )
        scope = group.scope_spans.add()
        scope.scope.name = "opentelemetry.instrumentation.fastapi"
        for trace_id, parent in calls:
            scope.spans.extend(self._request(trace_id, parent, at_s))
        del scope.spans[BATCH:]
        return request

    def _id(self, size: int) -> bytes:
        return MARK + self._random.randbytes(size - len(MARK))

    def _request(self, trace_id: bytes, parent: bytes, at_s: float) -> Iterator[Span]:
        operation = self._random.randrange(self._operations)
        failed = self._random.random() < _ERRORS
        end_ns = int((at_s - self._random.random()) * _NS)
        for kind in _KINDS:
            span_id = self._id(8)
            span = Span(
                trace_id=trace_id,
                span_id=span_id,
                parent_span_id=parent,
                name=f"{'GET' if kind == Span.SPAN_KIND_SERVER else 'call'} /api/v1/resource-{operation}/items",
                kind=kind,
                start_time_unix_nano=end_ns - int(self._random.lognormvariate(16, 0.5)),
                end_time_unix_nano=end_ns,
                attributes=_attributes(self._values(operation)),
                flags=257,
            )
            if failed:
                _fail(span)
            yield span
            parent = span_id
        self._calls.append((trace_id, parent))

    def _values(self, operation: int) -> dict[str, str | int]:
        return {
            "http.request.method": "GET",
            "url.scheme": "https",
            "url.path": f"/api/v1/resource-{operation}/items/{self._random.randrange(10**6)}",
            "http.route": f"/api/v1/resource-{operation}/items",
            "http.response.status_code": 200,
            "network.protocol.version": "1.1",
            "server.address": f"backend-{operation}.production.svc.cluster.local",
            "server.port": 8443,
            "user_agent.original": "python-httpx/0.28.1 (example; +https://example.com/a/longer/address)",
            "client.address": f"10.4.{self._random.randrange(256)}.{self._random.randrange(256)}",
        }


def again(body: bytes, passes: int) -> bytes:
    """Return a serialized batch with other ids, the same ones for the same number of the pass."""
    return body.replace(MARK, (passes + 1).to_bytes(4, "big"))


def _fail(span: Span) -> None:
    span.status.code = Status.STATUS_CODE_ERROR
    event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano)
    event.attributes.extend(
        _attributes(
            {
                "exception.type": "TimeoutError",
                "exception.message": "QueuePool limit of size 5 overflow 10 reached, connection timed out",
                "exception.stacktrace": _STACK,
            }
        )
    )


def _attributes(values: dict[str, str | int]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: str | int) -> AnyValue:
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)

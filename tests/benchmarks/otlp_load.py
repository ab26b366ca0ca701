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
DEPTH = 4
"""Services that a trace goes through."""

_KINDS = (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT)
_ERRORS = 0.01
_MIDDLE = 16.0  # of the logarithm of durations in nanoseconds: 9 ms
_LONGEST_NS = 400_000_000
_STACK = """Traceback (most recent call last):
  File "/srv/app/orders.py", line 41, in place
    session.execute(query)
TimeoutError: QueuePool limit of size 5 overflow 10 reached"""


class Load:
    """Batches of `services` × `operations`, seeded; one after the other is of one service after the other.

    A trace goes through four services, in each of them through a SERVER, an INTERNAL and a CLIENT span, and the next
    batch is that of the called service. One trace in a hundred fails with an exception event. Times of a batch lie in
    one block (see `block`), and all ids carry `MARK`, so that `again` can move a serialized batch.
    """

    def __init__(self, services: int, operations: int, spans: int = BATCH, seed: int = 1) -> None:
        self._random = Random(seed)
        self._services = services
        self._operations = operations
        self._spans = spans
        self._batches = 0
        self._requests = 0
        self._calls: list[tuple[bytes, bytes]] = []

    def batch(self, at_s: float) -> ExportTraceServiceRequest:
        """Return the next batch, whose spans end in the last whole block before `at_s` (Unix seconds)."""
        service = service_name(self._batches % self._services)
        traces = -(-self._spans // len(_KINDS))
        calls = self._calls if self._batches % DEPTH else [(self._id(16), b"") for _ in range(traces)]
        self._batches += 1
        self._calls = []
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        described: dict[str, str | int] = {
            "service.name": service,
            "service.version": "1.4.2",
            "service.instance.id": f"{service}-5d8f7c9b6d-x2x7p",
            "deployment.environment.name": "production",
            "vcs.ref.head.revision": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
        }
        group.resource.attributes.extend(_attributes(described))
        scope = group.scope_spans.add()
        scope.scope.name = "opentelemetry.instrumentation.fastapi"
        for trace_id, parent in calls:
            scope.spans.extend(self._request(trace_id, parent, at_s))
        del scope.spans[self._spans :]
        return request

    def _id(self, size: int) -> bytes:
        return MARK + self._random.randbytes(size - len(MARK))

    def _request(self, trace_id: bytes, parent: bytes, at_s: float) -> Iterator[Span]:
        operation = self._requests % self._operations
        self._requests += 1
        failed = self._random.random() < _ERRORS
        end_ns = (block(at_s) << 32) + self._random.randrange(_LONGEST_NS, 2**32)
        for kind in _KINDS:
            span_id = self._id(8)
            duration_ns = min(_LONGEST_NS, int(self._random.lognormvariate(_MIDDLE, 0.5)))
            span = Span(
                trace_id=trace_id,
                span_id=span_id,
                parent_span_id=parent,
                name=f"{'GET' if kind == Span.SPAN_KIND_SERVER else 'call'} /api/v1/resource-{operation}/items",
                kind=kind,
                start_time_unix_nano=end_ns - duration_ns,
                end_time_unix_nano=end_ns,
                attributes=_attributes(self._values(operation)),
                status=Status(code=Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET),
                flags=257,
            )
            if failed:
                _add_exception(span)
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
            "user_agent.original": "python-httpx/0.28.1 (example-client; +https://www.example.com/a/longer/address)",
            "client.address": f"10.4.{self._random.randrange(256)}.{self._random.randrange(256)}",
        }


def service_name(number: int) -> str:
    """Return the name of a service, all of one length."""
    return f"service-{number:04}"


def block(at_s: float) -> int:
    """Return the number of the last whole stretch of 2^32 ns (4.3 s) before a Unix time: half of a time in OTLP."""
    return (int(at_s * 1e9) >> 32) - 1


def again(body: bytes, passes: int, *, text: bool = False) -> bytes:
    """Return a serialized batch (`text`: in JSON) with other ids, the same ones for the same number of the pass."""
    fresh = (passes + 1).to_bytes(4, "big")
    return body.replace(MARK.hex().encode(), fresh.hex().encode()) if text else body.replace(MARK, fresh)


def moved(body: bytes, service: tuple[int, int], blocks: tuple[int, int]) -> bytes:
    """Return a protobuf batch of another service at another time, each given as (from, to)."""
    old, new = (number.to_bytes(4, "little") for number in blocks)
    was, is_now = (service_name(number).encode() for number in service)
    return body.replace(old, new).replace(was, is_now)


def _add_exception(span: Span) -> None:
    event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano)
    described: dict[str, str | int] = {
        "exception.type": "TimeoutError",
        "exception.message": "QueuePool limit of size 5 overflow 10 reached, connection timed out",
        "exception.stacktrace": _STACK,
    }
    event.attributes.extend(_attributes(described))


def _attributes(values: dict[str, str | int]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: str | int) -> AnyValue:
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)

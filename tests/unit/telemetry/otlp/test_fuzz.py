"""Whatever bytes arrive, the receiver answers 200 or 4xx and keeps no more than its bounds allow."""

import gc
import gzip
import json
import sys
from collections.abc import Iterator
from random import Random
from typing import Any

import psutil
import pytest
import structlog
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.otlp import ReceiverLimits, create_receiver
from telemetry.state import Limits, TelemetryState
from tests.support_otlp_messages import as_json

NOW_S = 1_700_000_000
SMALL = Limits(
    max_resources=50,
    max_cells=200,
    max_series=50,
    max_edges=50,
    max_pairs=100,
    max_span_ids=200,
    max_buffered_spans=200,
    max_kept_spans=100,
    max_signatures=50,
    max_gauges=50,
)
GROWTH_MAX_MB = 20
HUGE = 10**400
VALUES: tuple[Any, ...] = (
    HUGE,
    -HUGE,
    2**64,
    2**63,
    -(2**63) - 1,
    1e300,
    1.5,
    -1,
    True,
    None,
    "",
    "x",
    "-",
    "--1",
    "1_0",
)
VALUES += (
    " 1",
    "1e999",
    "NaN",
    "Infinity",
    "\u0663",
    "0x10",
    "9" * 5_000,
    "\x00",
    "\ufffd",
    [],
    {},
    [[]],
    [None],
    [{}],
)
VALUES += (
    {"intValue": "9" * 400},
    {"arrayValue": {"values": [{"doubleValue": HUGE}]}},
    {"kvlistValue": {"values": [{}]}},
)
WORDS = (b"null", b"-1", b"1e999", b'"', b"{}", b"[[", b"\xff", b"\x00", b"18446744073709551616", b"NaN", b"\\ud800")


def _requests() -> dict[str, Any]:
    traces, metrics, logs = ExportTraceServiceRequest(), ExportMetricsServiceRequest(), ExportLogsServiceRequest()
    ids: dict[str, bytes] = {"trace_id": b"t" * 16, "span_id": b"s" * 8}
    group = traces.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "quote"
    for kind in range(6):
        times = {"start_time_unix_nano": (NOW_S - 1) * 10**9, "end_time_unix_nano": NOW_S * 10**9}
        span = group.scope_spans.add().spans.add(**ids, parent_span_id=b"p" * 8, name="GET /", kind=kind, **times)
        span.status.code = 2
        span.attributes.add(key="server.address").value.string_value = "db.example.com"
        span.events.add(name="exception").attributes.add(key="exception.type").value.string_value = "KeyError"
    scope = metrics.resource_metrics.add().scope_metrics.add()
    scope.metrics.add(name="pool").gauge.data_points.add(time_unix_nano=NOW_S * 10**9, as_double=1)
    scope.metrics.add(name="total").sum.data_points.add(time_unix_nano=NOW_S * 10**9, as_int=3)
    scope.metrics.add(name="took").histogram.data_points.add(time_unix_nano=NOW_S * 10**9, bucket_counts=[1, 2])
    record = logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=NOW_S * 10**9, **ids)
    record.severity_number = 17
    record.body.string_value = "it failed"
    return {"/v1/traces": traces, "/v1/metrics": metrics, "/v1/logs": logs}


def _mutated(body: bytes, random: Random) -> bytes:
    """Return the body with bytes changed, words put in, pieces cut out or doubled, or its end missing."""
    changed = bytearray(body)
    for _ in range(random.choice((0, 1, 1, 2, 5, 20))):
        at = random.randrange(len(changed) + 1)
        match random.randrange(5):
            case 0:
                changed[at : at + 1] = random.randbytes(1)
            case 1:
                changed[at:at] = random.choice(WORDS)
            case 2:
                del changed[at : at + random.randrange(1, 30)]
            case 3:
                changed[at:at] = changed[at : at + random.randrange(1, 60)]
            case _:
                del changed[at:]
    return bytes(changed)


def _fuzzed(count: int, seed: int) -> Iterator[tuple[str, list[tuple[bytes, bytes]], bytes]]:
    """Yield path, headers and body of each request."""
    random = Random(seed)
    bodies = {
        (path, kind): body
        for path, request in _requests().items()
        for kind, body in (
            (b"application/x-protobuf", request.SerializeToString()),
            (b"application/json", json.dumps(as_json(request)).encode()),
        )
    }
    for _ in range(count):
        (path, kind), body = random.choice(list(bodies.items()))
        body = _mutated(body, random)
        headers = [(b"content-type", kind)]
        if random.random() < 0.3:
            headers.append((b"content-encoding", b"gzip"))
            packed = gzip.compress(body, 1, mtime=0)
            body = random.choice((packed, packed[: random.randrange(len(packed))], _mutated(packed, random)))
        yield path, headers, body


async def _status(app: Any, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    answered: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": path, "root_path": "", "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return answered[0]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.long)])
async def test_no_body_makes_the_receiver_fail_or_grow(count: int) -> None:
    """Mutated and truncated JSON, protobuf and gzip: no 5xx, both 200 and 400 occur, memory ends where it was."""
    state = TelemetryState(SMALL, clock=lambda: float(NOW_S))
    app = create_receiver(state, ReceiverLimits(max_body_bytes=100_000))
    seen: dict[int, int] = {}
    warm_mb = 0.0
    with structlog.testing.capture_logs() as told:
        for number, (path, headers, body) in enumerate(_fuzzed(count, seed=count)):
            status = await _status(app, path, headers, body)
            seen[status] = seen.get(status, 0) + 1
            told.clear()
            if number == count // 4:
                warm_mb = _rss_mb()
    grown_mb = _rss_mb() - warm_mb
    sys.stdout.write(f"\n{count} bodies: {seen}, memory grown by {grown_mb:.1f} MB since the first quarter\n")
    assert set(seen) == {200, 400}
    assert min(seen.values()) > count // 10
    assert grown_mb < GROWTH_MAX_MB


def _changed(document: Any) -> Iterator[Any]:
    """Yield the JSON document with each of `VALUES` in each of its places."""
    yield from VALUES
    places: list[tuple[Any, Any]] = list(document.items() if isinstance(document, dict) else enumerate(document))
    for place, value in places:
        for changed in _changed(value) if isinstance(value, (dict, list)) else VALUES:
            document[place] = changed
            yield document
        document[place] = value


@pytest.mark.parametrize("path", _requests())
async def test_no_value_in_any_place_of_json_makes_the_receiver_fail(path: str) -> None:
    """Bytes changed at random are hardly ever JSON of another type, or a number beyond every type."""
    app = create_receiver(TelemetryState(SMALL, clock=lambda: float(NOW_S)))
    headers = [(b"content-type", b"application/json")]
    answered = {
        await _status(app, path, headers, json.dumps(document).encode())
        for document in _changed(as_json(_requests()[path]))
    }
    assert answered == {200, 400}


def _rss_mb() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 2**20

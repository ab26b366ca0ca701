"""The receiver answers as the OTLP/HTTP specification says, whatever is sent."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import structlog
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from telemetry.otlp import OtlpHttp, Receiver, ReceiverLimits, create_receiver
from telemetry.state import TelemetryState

PROTOBUF = "application/x-protobuf"
NOW_NS = 1_700_000_000 * 1_000_000_000
LIMITS = ReceiverLimits(max_body_bytes=10_000, max_requests=4, max_bytes_in_flight=30_000, retry_after_s=3)


def _traces(*span_ids: bytes) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for span_id in span_ids:
        scope.spans.add(
            trace_id=b"t" * 16,
            span_id=span_id,
            name="GET /",
            kind=2,
            start_time_unix_nano=NOW_NS,
            end_time_unix_nano=NOW_NS + 1,
        )
    return request.SerializeToString()


def _client(state: TelemetryState, **options: object) -> httpx.AsyncClient:
    app = create_receiver(state, LIMITS, **options)  # type: ignore[arg-type] — options of create_receiver
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://receiver", headers={"Content-Type": PROTOBUF})


@pytest.fixture
def state() -> TelemetryState:
    """Return an empty state."""
    return TelemetryState()


def _status(response: httpx.Response) -> Status:
    assert response.headers["content-type"] == PROTOBUF
    return Status.FromString(response.content)


async def test_traces_that_are_all_taken_are_answered_without_partial_success(state: TelemetryState) -> None:
    """200 in the request's own encoding, `partial_success` unset."""
    async with _client(state) as client:
        response = await client.post("/v1/traces", content=_traces(b"s" * 8))
    assert (response.status_code, response.headers["content-type"]) == (200, PROTOBUF)
    assert not ExportTraceServiceResponse.FromString(response.content).HasField("partial_success")
    assert state.spans_total == 1


async def test_rejected_spans_are_counted_in_partial_success(state: TelemetryState) -> None:
    """Bad spans do not cost the good ones of the batch."""
    async with _client(state) as client:
        response = await client.post("/v1/traces", content=_traces(b"s" * 8, b"short", bytes(8)))
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert (response.status_code, partial.rejected_spans) == (200, 2)
    assert "ids" in partial.error_message
    assert state.spans_total == 1


async def test_metrics_and_logs_are_taken_and_rejected_by_count(state: TelemetryState) -> None:
    """Each signal has its own path, messages and counter."""
    metrics, logs = ExportMetricsServiceRequest(), ExportLogsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="queue.depth")
    metric.gauge.data_points.add(time_unix_nano=NOW_NS, as_double=1)
    metric.gauge.data_points.add(as_double=1)
    scope = logs.resource_logs.add().scope_logs.add()
    scope.log_records.add(time_unix_nano=NOW_NS)
    scope.log_records.add()
    async with _client(state) as client:
        first = await client.post("/v1/metrics", content=metrics.SerializeToString())
        second = await client.post("/v1/logs", content=logs.SerializeToString())
    assert ExportMetricsServiceResponse.FromString(first.content).partial_success.rejected_data_points == 1
    assert ExportLogsServiceResponse.FromString(second.content).partial_success.rejected_log_records == 1
    assert (state.points_total, state.logs_total) == (1, 1)


async def test_json_is_answered_in_json(state: TelemetryState) -> None:
    """Success, partial success and refusal are JSON for who sends JSON; 64-bit counts are strings."""
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "startTimeUnixNano": str(NOW_NS), "endTimeUnixNano": NOW_NS}
    bodies = [
        json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
        for spans in ([span], [span | {"spanId": "x"}])
    ]
    async with _client(state) as client:
        client.headers["Content-Type"] = "application/json"
        good, partial, bad = [await client.post("/v1/traces", content=body) for body in (*bodies, "{")]
    assert {response.headers["content-type"] for response in (good, partial, bad)} == {"application/json"}
    assert (good.status_code, good.json()) == (200, {})
    assert (partial.status_code, partial.json()["partialSuccess"]["rejectedSpans"]) == (200, "1")
    assert (bad.status_code, bad.json()["code"]) == (400, code_pb2.INVALID_ARGUMENT)
    assert state.spans_total == 1


async def test_an_empty_request_is_a_success(state: TelemetryState) -> None:
    """An empty body is an empty export request."""
    async with _client(state) as client:
        responses = [await client.post(f"/v1/{signal}", content=b"") for signal in ("traces", "metrics", "logs")]
    assert [response.status_code for response in responses] == [200, 200, 200]


@pytest.mark.parametrize("encoding", ["gzip", "GZIP"])
async def test_gzip_is_taken_also_in_several_members(state: TelemetryState, encoding: str) -> None:
    """RFC 1952 allows members one after the other."""
    body = _traces(b"s" * 8)
    packed = gzip.compress(body[:20]) + gzip.compress(body[20:])
    async with _client(state) as client:
        response = await client.post("/v1/traces", content=packed, headers={"Content-Encoding": encoding})
    assert (response.status_code, state.spans_total) == (200, 1)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xff\xff", {}, 400),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"x" * 500)[:-9], {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"") * 101, {"Content-Encoding": "gzip"}, 400),
        (b"", {"Content-Encoding": "br"}, 415),
        (b"x" * 10_001, {}, 413),
        (gzip.compress(b"\x00" * 10_001), {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(b"\x00" * 50_000_000), {"Content-Encoding": "gzip"}, 413),
    ],
    ids=["garbage", "not-gzip", "cut-off", "many-members", "brotli", "too-large", "too-large-unpacked", "bomb"],
)
async def test_bad_bodies_are_refused_with_a_status_in_protobuf(
    state: TelemetryState, body: bytes, headers: dict[str, str], status: int
) -> None:
    """The body of every refusal is a `google.rpc.Status` that says why."""
    async with _client(state) as client:
        response = await client.post("/v1/traces", content=body, headers=headers)
    assert response.status_code == status
    refusal = _status(response)
    assert refusal.code == (code_pb2.RESOURCE_EXHAUSTED if status == 413 else code_pb2.INVALID_ARGUMENT)
    assert refusal.message
    assert state.spans_total == 0


async def test_a_stream_without_length_is_cut_at_the_limit(state: TelemetryState) -> None:
    """The limit is counted on the stream: an endless body is not read to its end."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000:
            sent += 1
            yield b"\x00" * 1_000

    messages = endless()
    sent_back: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": await anext(messages), "more_body": True}

    async def send(message: dict[str, object]) -> None:
        sent_back.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/traces",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", PROTOBUF.encode())],
    }
    await create_receiver(state, LIMITS)(scope, receive, send)  # type: ignore[arg-type] — a hand-made ASGI server
    assert sent_back[0]["status"] == 413
    assert sent <= 12


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/protobuf-ish"])
async def test_other_media_types_are_refused_with_what_is_taken(state: TelemetryState, content_type: str) -> None:
    """415, and a body that says which types are taken."""
    async with _client(state) as client:
        response = await client.post("/v1/traces", content=b"", headers={"Content-Type": content_type})
    assert response.status_code == 415
    assert PROTOBUF in response.json()["message"]
    assert PROTOBUF in response.headers["accept"]


async def test_parameters_of_the_media_type_are_ignored(state: TelemetryState) -> None:
    """`; charset=…` does not make another type."""
    async with _client(state) as client:
        response = await client.post(
            "/v1/traces", content=b"", headers={"Content-Type": "Application/X-Protobuf; charset=utf-8"}
        )
    assert response.status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_only_post_is_allowed(state: TelemetryState, method: str) -> None:
    """405 names the method that is allowed and has a body."""
    async with _client(state) as client:
        response = await client.request(method, "/v1/traces")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert json.loads(response.content)["code"] == code_pb2.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer one", 200),
        ("bearer two", 200),
        ("Bearer three", 401),
        ("Basic one", 401),
        ("Bearer", 401),
        ("", 401),
    ],
)
async def test_a_known_bearer_token_is_needed_where_tokens_are_given(
    state: TelemetryState, authorization: str, status: int
) -> None:
    """Two tokens may belong to one tenant; what is not known is refused before the body is read."""
    async with _client(state, tokens={"one": "acme", "two": "acme"}) as client:
        response = await client.post("/v1/traces", content=_traces(b"s" * 8), headers={"Authorization": authorization})
    assert response.status_code == status
    if status == 200:
        assert [key.tenant for key in tuple(state.keys())] == ["acme"]
    else:
        assert _status(response).code == code_pb2.UNAUTHENTICATED
        assert response.headers["www-authenticate"] == "Bearer"
        assert state.spans_total == 0


async def test_without_tokens_everything_belongs_to_the_default_tenant(state: TelemetryState) -> None:
    """A token that nobody asked for is ignored."""
    async with _client(state) as client:
        await client.post("/v1/traces", content=_traces(b"s" * 8), headers={"Authorization": "Bearer x"})
    assert [key.tenant for key in tuple(state.keys())] == ["default"]


async def _slow(release: asyncio.Event, size: int) -> AsyncIterator[bytes]:
    yield b"\x00" * size
    await release.wait()


@pytest.mark.parametrize(("waiting", "size"), [(4, 10), (3, 9_990)], ids=["requests", "bytes"])
async def test_a_full_queue_answers_503_with_retry_after_and_recovers(
    state: TelemetryState, waiting: int, size: int
) -> None:
    """Bodies in flight are bounded in number and bytes; room that is given back is used again."""
    app = create_receiver(state, LIMITS)
    release = asyncio.Event()
    answers: list[asyncio.Task[int]] = [asyncio.create_task(_post(app, _slow(release, size))) for _ in range(waiting)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://receiver", headers={"Content-Type": PROTOBUF}
    ) as client:
        body = _traces(*(number.to_bytes(8, "big") for number in range(1, 3)))
        refused = await client.post("/v1/traces", content=body)
        release.set()
        assert await asyncio.gather(*answers) == [400] * waiting
        taken = await client.post("/v1/traces", content=body)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")
    assert _status(refused).code == code_pb2.UNAVAILABLE
    assert (taken.status_code, state.spans_total) == (200, 2)


async def _post(app: Callable[..., object], body: AsyncIterator[bytes]) -> int:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://receiver", headers={"Content-Type": PROTOBUF}
    ) as client:
        return (await client.post("/v1/traces", content=body)).status_code


async def test_the_memory_guard_answers_503(state: TelemetryState) -> None:
    """Telemetry waits while memory is short."""
    async with _client(state, is_overloaded=lambda: True) as client:
        response = await client.post("/v1/traces", content=_traces(b"s" * 8))
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")


async def test_a_failure_inside_is_answered_with_a_status_and_without_its_text(
    state: TelemetryState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback or inner message reaches a client."""

    def fail(*_: object) -> None:
        raise RuntimeError("inner secret")

    monkeypatch.setattr(state, "add_spans", fail)
    async with _client(state) as client:
        response = await client.post("/v1/traces", content=_traces(b"s" * 8))
    assert response.status_code == 500
    assert _status(response).code == code_pb2.INTERNAL
    assert b"inner secret" not in response.content


@pytest.mark.parametrize("path", ["/v1/profiles", "/v1/traces/", "/v1/traces/more", "/v1/"])
@pytest.mark.parametrize("content_type", [PROTOBUF, "application/json"])
async def test_another_path_is_not_found_in_the_encoding_of_the_request(
    state: TelemetryState, path: str, content_type: str
) -> None:
    """404 is not retryable, and its body is a Status as well."""
    async with _client(state) as client:
        response = await client.post(path, content=b"", headers={"Content-Type": content_type})
    assert (response.status_code, response.headers["content-type"]) == (404, content_type)
    code = response.json()["code"] if content_type == "application/json" else _status(response).code
    assert code == code_pb2.NOT_FOUND


async def test_a_request_without_media_type_is_refused(state: TelemetryState) -> None:
    """Nothing is guessed; curl's own default is refused as well."""
    async with _client(state) as client:
        del client.headers["Content-Type"]
        response = await client.post("/v1/traces", content=b"{}")
    assert (response.status_code, response.json()["code"]) == (415, code_pb2.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b" " * 10_001, {}, 413),
        (gzip.compress(b" " * 10_001), {"Content-Encoding": "gzip"}, 413),
        (b"{}", {"Content-Encoding": "deflate"}, 415),
        (b"{}", {"Authorization": "Bearer other"}, 401),
    ],
    ids=["cut off", "too large", "too large once unpacked", "unknown coding", "unknown token"],
)
async def test_refusals_are_json_for_who_sends_json(
    state: TelemetryState, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Errors included: the answer is in the encoding of the request."""
    async with _client(state, tokens={"one": "acme"}) as client:
        given = {"Content-Type": "application/json", "Authorization": "Bearer one", **headers}
        response = await client.post("/v1/traces", content=body, headers=given)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/json")
    assert set(response.json()) == {"code", "message"}


async def test_a_span_that_comes_twice_is_taken_once(state: TelemetryState) -> None:
    """Within a request and in a later one, as after an answer that was lost; it counts as accepted and as dropped."""
    one, other = b"s" * 8, b"r" * 8
    async with _client(state) as client:
        responses = [await client.post("/v1/traces", content=_traces(*ids)) for ids in ((one, one), (one, other))]
    assert [ExportTraceServiceResponse.FromString(found.content).ByteSize() for found in responses] == [0, 0]
    assert (state.spans_total, dict(state.dropped)) == (4, {"duplicates": 2})
    (key,) = tuple(state.keys())
    assert state.red(key, 0, 4_000_000_000).requests == 2


async def test_bad_ids_and_missing_times_are_rejected_by_count(state: TelemetryState) -> None:
    """Each kind costs its span only, and the message names the kinds."""
    good = {"traceId": "ab" * 16, "spanId": "cd" * 8, "startTimeUnixNano": str(NOW_NS), "endTimeUnixNano": str(NOW_NS)}
    bad = [
        {"traceId": "00" * 16},
        {"traceId": "ab" * 15},
        {"spanId": "00" * 8},
        {"spanId": "cd" * 9},
        {"parentSpanId": "cd"},
        {"startTimeUnixNano": "0"},
        {"endTimeUnixNano": 0},
    ]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [good, *(good | one for one in bad)]}]}]})
    async with _client(state) as client:
        response = await client.post("/v1/traces", content=body, headers={"Content-Type": "application/json"})
    partial = response.json()["partialSuccess"]
    assert (response.status_code, partial["rejectedSpans"], state.spans_total) == (200, "7", 1)
    assert "ids" in partial["errorMessage"]
    assert "time" in partial["errorMessage"]


async def test_a_body_that_does_not_arrive_in_time_is_refused(state: TelemetryState) -> None:
    """Slow senders cannot hold the room for ever."""
    app = create_receiver(state, ReceiverLimits(read_timeout_s=0.01))
    never = asyncio.Event()
    assert await _post(app, _slow(never, 10)) == 408


async def test_requests_that_arrive_together_wait_in_the_room_and_not_before_it(state: TelemetryState) -> None:
    """Their bodies are read before the first is decoded, so that too many are refused at once and not after a while."""
    async with _client(state) as client:
        bodies = [_traces(number.to_bytes(8, "big")) for number in range(1, 9)]
        answers = await asyncio.gather(*(client.post("/v1/traces", content=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [503] * 4
    assert state.spans_total == 4


async def test_refusals_are_counted_by_code_and_logged_once_a_second(state: TelemetryState) -> None:
    """A flood of them is no flood in the log."""
    receiver = Receiver(state, LIMITS, {"one": "acme"})
    transport = httpx.ASGITransport(OtlpHttp(receiver))
    with structlog.testing.capture_logs() as logged:
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            for _ in range(5):
                await client.post("/v1/traces", headers={"Content-Type": PROTOBUF})
            await client.get("/v1/traces")
    assert receiver.refused == {"unauthenticated": 5, "unimplemented": 1}
    assert [(line["event"], line["code"], line["others"]) for line in logged] == [
        ("telemetry_refused", "unauthenticated", 0)
    ]


async def test_what_finds_no_room_is_refused_before_it_is_read_or_unpacked(state: TelemetryState) -> None:
    """By the length that is declared, else by the size at the end of a gzip body; who only says so holds no room."""
    receiver = Receiver(state, LIMITS)
    app, release = OtlpHttp(receiver), asyncio.Event()
    waiting = [asyncio.create_task(_post(app, _slow(release, 9_000))) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
        client.headers.update({"Content-Type": PROTOBUF})
        declared = await client.post("/v1/traces", content=bytes(5_000))
        packed = gzip.compress(bytes(5_000))
        unpacked = await client.post("/v1/traces", content=packed, headers={"Content-Encoding": "gzip"})
        release.set()
        await asyncio.gather(*waiting)
    assert len(packed) < 3_000
    assert [declared.status_code, unpacked.status_code] == [503, 503]
    assert receiver.in_flight == 0

"""OTLP/gRPC answers as its specification and gRPC's say, whatever is sent, over a real channel."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import httpx
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from telemetry.otlp import ReceiverLimits
from telemetry.otlp.grpc_server import GrpcServer, PortTakenError
from tests.support_otlp import Listening, listening

EXPORT = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"
TRACES = EXPORT.format("trace", "Trace")
TOKEN = "s3cret"
NOW_NS = 1_700_000_000 * 1_000_000_000
LIMITS = ReceiverLimits(
    max_body_bytes=10_000, max_message_bytes=20_000, max_requests=2, max_bytes_in_flight=40_000, retry_after_s=3
)


def _traces(*span_ids: bytes) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for span_id in span_ids:
        scope.spans.add(
            trace_id=b"t" * 16, span_id=span_id, kind=2, start_time_unix_nano=NOW_NS, end_time_unix_nano=NOW_NS + 1
        )
    return request.SerializeToString()


@pytest.fixture
def at() -> Iterator[Listening]:
    """A receiver with small bounds that wants a token."""
    with listening(LIMITS, {"s3cret": "acme"}) as found:
        yield found


def _call(at: Listening, body: bytes, *, method: str = TRACES, token: str = TOKEN, **options: Any) -> bytes:
    with grpc.insecure_channel(at.target) as channel:
        metadata = (("authorization", f"Bearer {token}"),)
        return channel.unary_unary(method)(body, metadata=metadata, timeout=10, **options)


def _silent(ended: threading.Event) -> Iterator[bytes]:
    """Messages of a client that has none until `ended`."""
    ended.wait(10)
    yield from ()


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.01)


def _refusal(at: Listening, body: bytes, **options: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        _call(at, body, **options)
    return caught.value


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_what_is_taken_is_answered_with_partial_success_only_for_what_was_not(
    at: Listening, compression: grpc.Compression
) -> None:
    """As over HTTP: unset when all was taken, else the count and the reason; duplicates across requests are dropped."""
    good = ExportTraceServiceResponse.FromString(_call(at, _traces(b"s" * 8), compression=compression))
    body = _traces(b"s" * 8, b"r" * 8, b"short", bytes(8))
    partial = ExportTraceServiceResponse.FromString(_call(at, body, compression=compression)).partial_success
    assert not good.HasField("partial_success")
    assert (partial.rejected_spans, "ids" in partial.error_message) == (2, True)
    assert (at.state.spans_total, dict(at.state.dropped)) == (3, {"duplicates": 1})
    assert [key.tenant for key in at.state.keys()] == ["acme"]  # noqa: SIM118 - not a dict


@pytest.mark.parametrize(("package", "service"), [("trace", "Trace"), ("metrics", "Metrics"), ("logs", "Logs")])
def test_an_empty_request_is_a_success_for_every_signal(at: Listening, package: str, service: str) -> None:
    """The three services of OTLP are there."""
    assert _call(at, b"", method=EXPORT.format(package, service)) == b""


@pytest.mark.parametrize(
    ("body", "options", "code"),
    [
        (b"\xff\xff\xff", {}, grpc.StatusCode.INVALID_ARGUMENT),
        (b"\x1f\x8bx", {}, grpc.StatusCode.INVALID_ARGUMENT),
        (b"x" * 10_001, {}, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (b"x" * 20_001, {}, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (b"\x00" * 10_001, {"compression": grpc.Compression.Gzip}, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (b"\x00" * 15_000_000, {"compression": grpc.Compression.Gzip}, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (b"", {"compression": grpc.Compression.Deflate}, grpc.StatusCode.UNIMPLEMENTED),
        (b"", {"token": "other"}, grpc.StatusCode.UNAUTHENTICATED),
        (b"", {"method": EXPORT.format("profiles", "Profiles")}, grpc.StatusCode.UNIMPLEMENTED),
    ],
    ids=["garbage", "not-gzip", "large", "larger", "large-unpacked", "bomb", "deflate", "token", "method"],
)
def test_what_cannot_be_taken_is_refused_with_a_code_that_says_not_to_try_again(
    at: Listening, body: bytes, options: dict[str, Any], code: grpc.StatusCode
) -> None:
    """RESOURCE_EXHAUSTED without RetryInfo is not retryable (OTLP specification, "Failures")."""
    refusal = _refusal(at, body, **options)
    assert refusal.code() is code
    assert refusal.details()
    assert "grpc-status-details-bin" not in dict(refusal.trailing_metadata())
    assert at.state.spans_total == 0
    assert _call(at, _traces(b"s" * 8)) == b""


def test_a_full_room_answers_unavailable_with_retry_info_and_recovers(at: Listening) -> None:
    """Streams that send nothing hold the room, for HTTP as well; it is given back when they end."""
    ended = threading.Event()
    with grpc.insecure_channel(at.target) as channel:
        export = channel.stream_unary(TRACES)
        metadata = (("authorization", "Bearer s3cret"),)
        held = [export.future(_silent(ended), metadata=metadata) for _ in range(2)]
        _until(lambda: at.receiver.in_flight == 2)
        refusal = _refusal(at, _traces(b"s" * 8))
        headers = {"authorization": "Bearer s3cret", "content-type": "application/x-protobuf"}
        over_http = httpx.post(f"{at.url}/v1/traces", content=_traces(b"s" * 8), headers=headers)
        for call in held:
            call.cancel()
        _until(lambda: at.receiver.in_flight == 0)
        ended.set()
    status = Status.FromString(dict(refusal.trailing_metadata())["grpc-status-details-bin"])
    retry = RetryInfo()
    assert (refusal.code(), status.code) == (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE.value[0])
    assert status.details[0].Unpack(retry)
    assert (retry.retry_delay.seconds, over_http.status_code, over_http.headers["retry-after"]) == (3, 503, "3")
    assert at.receiver.refused == {"unavailable": 2}
    assert (_call(at, _traces(b"s" * 8)), at.state.spans_total) == (b"", 1)


def test_a_call_that_does_not_send_its_message_is_ended() -> None:
    """Slow senders cannot hold the room for ever."""
    with listening(ReceiverLimits(read_timeout_s=0.2)) as at, grpc.insecure_channel(at.target) as channel:
        ended = threading.Event()
        with pytest.raises(grpc.RpcError) as caught:
            channel.stream_unary(TRACES)(_silent(ended), timeout=10)
        ended.set()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert at.receiver.refused == {"deadline_exceeded": 1}


def test_a_failure_inside_is_answered_without_its_text(at: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """INTERNAL, and nothing of what happened."""

    def fail(*_: object) -> None:
        raise RuntimeError("inner secret")

    monkeypatch.setattr("telemetry.otlp.receiver.decode_traces", fail)
    refusal = _refusal(at, b"")
    assert (refusal.code(), "secret" in refusal.details()) == (grpc.StatusCode.INTERNAL, False)


async def test_a_port_that_is_taken_is_said(at: Listening) -> None:
    """Two servers never share a port."""
    server = GrpcServer(at.receiver)
    with pytest.raises(PortTakenError, match=at.target):
        await server.start("127.0.0.1", int(at.target.rpartition(":")[2]))
    await server.stop(0)


def test_gzip_in_an_uncompressed_message_is_read_as_gzip(at: Listening) -> None:
    """No protobuf message begins like a gzip member, so there is nothing to mistake it for."""
    assert _call(at, gzip.compress(_traces(b"s" * 8))) == b""
    assert at.state.spans_total == 1

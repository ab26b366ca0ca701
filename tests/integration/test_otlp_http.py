"""OTLP/HTTP over a real connection: chunked bodies, and connections that go on after a refusal."""

import gzip
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from telemetry.otlp import ReceiverLimits
from telemetry.testing.otlp import Call, Where, traces
from tests.support_otlp import Listening, listening

PROTOBUF = {"Content-Type": "application/x-protobuf"}
COUNT = 200


@pytest.fixture
def at() -> Iterator[Listening]:
    """A receiver with small bounds that wants a token."""
    with listening(ReceiverLimits(max_body_bytes=100_000), {"s3cret": "acme"}) as found:
        yield found


@pytest.fixture
def connection(at: Listening) -> Iterator[HTTPConnection]:
    """One connection, which is kept."""
    opened = HTTPConnection(at.url.removeprefix("http://"), timeout=10)
    yield opened
    opened.close()


def _post(connection: HTTPConnection, body: bytes | Iterator[bytes], token: str, **headers: str) -> int:
    given = {**PROTOBUF, "Authorization": f"Bearer {token}", **headers}
    connection.request("POST", "/v1/traces", body, given)
    response = connection.getresponse()
    response.read()
    return response.status


def _body() -> bytes:
    calls = [Call(n, n, 0, "GET /", Span.SPAN_KIND_SERVER, 1_700_000_000, 1_700_000_001) for n in range(1, COUNT + 1)]
    return traces(Where("quote"), calls).SerializeToString()


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_chunked_body_is_taken_whole(at: Listening, connection: HTTPConnection, coding: str) -> None:
    """Without a Content-Length, in chunks that end anywhere."""
    body = gzip.compress(_body()) if coding == "gzip" else _body()
    chunks = (body[start : start + 7] for start in range(0, len(body), 7))
    assert _post(connection, chunks, "s3cret", **{"Content-Encoding": coding}) == 200
    assert (at.state.spans_total, dict(at.state.dropped)) == (COUNT, {})


def test_a_connection_goes_on_after_refusals(at: Listening, connection: HTTPConnection) -> None:
    """Bodies that were refused before they were read do not become the next request."""
    large = b"\x00" * 1_000_000
    assert _post(connection, large, "s3cret") == 413
    assert _post(connection, iter([large]), "s3cret") == 413
    assert _post(connection, large, "other") == 401
    assert _post(connection, iter([_body()]), "other") == 401
    assert _post(connection, _body(), "s3cret") == 200
    assert at.state.spans_total == COUNT
    assert at.receiver.refused == {"resource_exhausted": 2, "unauthenticated": 2}

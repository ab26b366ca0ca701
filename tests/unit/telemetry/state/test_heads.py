"""Heads of spans say what the whole messages say."""

import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from telemetry.state import TelemetryState
from telemetry.state.heads import decode_heads, is_failed, whole
from tests.benchmarks.otlp_load import Load

_HEAD = ("trace_id", "span_id", "parent_span_id", "name", "kind", "start_time_unix_nano", "end_time_unix_nano")


def _spans(request: ExportTraceServiceRequest) -> list[Span]:
    return [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]


def _one(span: bytes) -> Span:
    return _spans(_request(span))[0]


def _request(span: bytes) -> ExportTraceServiceRequest:
    scope = b"\x12" + len(span).to_bytes(1, "big") + span
    group = b"\x12" + len(scope).to_bytes(1, "big") + scope
    return decode_heads(b"\x0a" + len(group).to_bytes(1, "big") + group)


def test_heads_and_what_is_behind_them_are_those_of_the_whole_message() -> None:
    """Every field of a head is that of the span, and `whole` gives the span back, failed ones with their event."""
    request = Load(3, 5, 1200).batch(1_700_000_000)
    heads = decode_heads(request.SerializeToString())
    assert heads.resource_spans[0].resource == request.resource_spans[0].resource
    assert any(is_failed(span) for span in _spans(heads))
    for head, span in zip(_spans(heads), _spans(request), strict=True):
        assert [getattr(head, name) for name in _HEAD] == [getattr(span, name) for name in _HEAD]
        assert (bool(head.status) and is_failed(head)) == is_failed(span)
        if not is_failed(span):
            span.ClearField("status")  # an empty one, which says what none says
        assert whole(head) == span


def test_a_whole_span_is_its_own_head() -> None:
    """What was decoded whole is given back as it is."""
    span = Span(name="GET /")
    assert whole(span) is span
    assert not is_failed(span)


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"\x0a\x05abc", b"\x0a\x04\x12\x02\x12\x05", b"\x0a\x07\x12\x05\x12\x03\x2a\x01\xff"],
    ids=["no message", "cut off", "cut off within a span", "a name that is not UTF-8"],
)
def test_a_body_that_is_no_message_is_refused(body: bytes) -> None:
    """Structure and heads are checked for the whole batch."""
    with pytest.raises(DecodeError):
        decode_heads(body)


def test_a_damaged_attribute_costs_the_attributes_of_its_span() -> None:
    """An attribute that ends too soon leaves the head as it is; what is behind it counts as absent."""
    span = _one(b"\x2a\x05GET /" + b"\x4a\x02\x0a\x09")
    assert span.name == "GET /"
    assert whole(span) == Span()


def test_a_damaged_status_is_no_failure() -> None:
    """A status that cannot be decoded is taken for UNSET."""
    assert not is_failed(_one(b"\x2a\x05GET /" + b"\x7a\x01\x18"))


def test_a_failure_with_a_damaged_attribute_is_counted_in_its_trace() -> None:
    """What is lost with the attributes is the reason, not the trace in which it failed."""
    end_s = 1_700_000_000
    failed = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="GET /", kind=Span.SPAN_KIND_SERVER)
    failed.start_time_unix_nano = failed.end_time_unix_nano = end_s * 10**9
    failed.status.code = Status.STATUS_CODE_ERROR
    state = TelemetryState(clock=lambda: float(end_s))
    taken = state.add_traces("default", _request(failed.SerializeToString() + b"\x4a\x02\x0a\x09"))
    assert (taken.accepted, taken.rejected) == (1, 0)
    (signature,) = state.signatures("default", "default", end_s - 60)
    assert signature.trace_ids == ((b"t" * 16).hex(),)

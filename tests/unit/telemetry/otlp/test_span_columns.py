"""Columns of spans say what the messages say."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from telemetry.otlp.span_columns import decode_columns
from telemetry.state import TelemetryState
from telemetry.state.columns import ResourceColumns, SpanColumns, columns_of
from tests.benchmarks.otlp_load import Load
from tests.support_otlp_messages import messages

END_S = 1_700_000_000


def _request(*spans: bytes) -> bytes:
    scope = b"".join(b"\x12" + len(span).to_bytes(1, "big") + span for span in spans)
    group = b"\x12" + len(scope).to_bytes(1, "big") + scope
    return b"\x0a" + len(group).to_bytes(1, "big") + group


def _one(span: bytes) -> SpanColumns:
    (group,) = decode_columns(_request(span))
    (columns,) = group.scopes
    return columns


def _same(columns: list[ResourceColumns], request: ExportTraceServiceRequest) -> None:
    expected = columns_of(request)
    assert [group.resource for group in columns] == [group.resource for group in expected]
    for group, wanted in zip(columns, expected, strict=True):
        assert len(group.scopes) == len(wanted.scopes)
        for spans, wanted_spans in zip(group.scopes, wanted.scopes, strict=True):
            assert list(spans.rows()) == list(wanted_spans.rows())
            assert [spans.whole(at) for at in range(len(spans))] == [wanted_spans.whole(at) for at in range(len(spans))]


def test_columns_are_those_of_the_messages() -> None:
    """In a batch as SDKs send it, roots and spans with a parent mixed, failed ones with their event."""
    request = Load(3, 5, 1200).batch(END_S)
    columns = decode_columns(request.SerializeToString())
    assert any(columns[0].scopes[0].failed)
    assert not all(columns[0].scopes[0].parent_ids)
    _same(columns, request)


@given(messages(ExportTraceServiceRequest))
def test_whatever_is_missing_in_some_spans_goes_to_no_other(request: ExportTraceServiceRequest) -> None:
    """A column in which some spans have no value keeps every value at its span."""
    _same(decode_columns(request.SerializeToString()), request)


def test_spans_keep_their_attributes_when_others_are_left_out() -> None:
    """`only` keeps columns and whole spans together."""
    request = Load(1, 5, 30).batch(END_S)
    spans = decode_columns(request.SerializeToString())[0].scopes[0].only([3, 7]).only([1])
    assert spans.whole(0) == request.resource_spans[0].scope_spans[0].spans[7]
    assert spans.span_ids == [spans.whole(0).span_id]


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"\x0a\x05abc", b"\x0a\x04\x12\x02\x12\x05", b"\x0a\x07\x12\x05\x12\x03\x2a\x01\xff"],
    ids=["no message", "cut off", "cut off within a span", "a name that is not UTF-8"],
)
def test_a_body_that_is_no_message_is_refused(body: bytes) -> None:
    """Structure and columns are checked for the whole batch."""
    with pytest.raises(DecodeError):
        decode_columns(body)


def test_a_damaged_attribute_costs_the_attributes_of_its_span() -> None:
    """An attribute that ends too soon leaves the columns as they are; what is behind it counts as absent."""
    columns = _one(b"\x2a\x05GET /" + b"\x4a\x02\x0a\x09")
    assert columns.names == ["GET /"]
    assert columns.whole(0) == Span()


def test_a_damaged_status_is_no_failure() -> None:
    """A status that cannot be decoded is taken for UNSET."""
    assert _one(b"\x2a\x05GET /" + b"\x7a\x01\x18").failed == [False]


def test_a_field_that_comes_twice_is_not_lost_to_the_others() -> None:
    """What no encoder writes changes nothing for the spans around it, as long as the column is not full by chance."""
    twice = b"\x2a\x01a\x2a\x01b"
    (group,) = decode_columns(_request(b"\x2a\x01x", twice, b"\x2a\x01y"))
    assert group.scopes[0].names == ["x", "b", "y"]


def test_a_failure_with_a_damaged_attribute_is_counted_in_its_trace() -> None:
    """What is lost with the attributes is the reason, not the trace in which it failed."""
    failed = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="GET /", kind=Span.SPAN_KIND_SERVER)
    failed.start_time_unix_nano = failed.end_time_unix_nano = END_S * 10**9
    failed.status.code = Status.STATUS_CODE_ERROR
    state = TelemetryState(clock=lambda: float(END_S))
    taken = state.add_spans("default", decode_columns(_request(failed.SerializeToString() + b"\x4a\x02\x0a\x09")))
    assert (taken.accepted, taken.rejected) == (1, 0)
    (signature,) = state.signatures("default", "default", END_S - 60)
    assert signature.trace_ids == ((b"t" * 16).hex(),)

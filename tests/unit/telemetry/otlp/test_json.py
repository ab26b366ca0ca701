"""OTLP/JSON decodes to what the same telemetry in protobuf decodes to."""

import json
import math
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.otlp.errors import UndecodableError
from telemetry.otlp.json_decode import decode_json
from tests.support_otlp_messages import as_json, messages

_SPAN = {
    "traceId": "5B8EFFF798038103D269B633813FC60C",
    "spanId": "eee19b7ec3c1b174",
    "name": "I'm a server span",
    "kind": 2,
    "startTimeUnixNano": "1544712660000000000",
    "endTimeUnixNano": 1544712661000000000,
    "flags": 257,
    "status": {"code": 2, "message": "no"},
    "attributes": [
        {"key": "text", "value": {"stringValue": "ä \u2028"}},
        {"key": "whole", "value": {"intValue": "-9223372036854775808"}},
        {"key": "number", "value": {"intValue": 17}},
        {"key": "real", "value": {"doubleValue": "NaN"}},
        {"key": "truth", "value": {"boolValue": False}},
        {"key": "raw", "value": {"bytesValue": "aGk="}},
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}}},
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}}},
        {"key": "nothing", "value": {}},
    ],
    "parentSpanId": None,
    "somethingNew": {"kind": 9},
    "start_time_unix_nano": "1",
}


def _traces(span: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def _span(changes: dict[str, Any]) -> Any:
    request = decode_json(ExportTraceServiceRequest, _traces(_SPAN | changes))
    return request.resource_spans[0].scope_spans[0].spans[0]


def test_a_span_is_decoded_by_the_rules_of_otlp() -> None:
    """Hex ids in either case, integers as strings or numbers, null as absent, unknown and snake_case keys ignored."""
    span = _span({})
    assert span.trace_id.hex() == "5b8efff798038103d269b633813fc60c"
    assert (span.kind, span.flags, span.status.code, span.parent_span_id) == (2, 257, 2, b"")
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (1544712660000000000, 1544712661000000000)
    values = {pair.key: pair.value for pair in span.attributes}
    assert values["text"].string_value == "ä \u2028"
    assert values["whole"].int_value == -(2**63)
    assert math.isnan(values["real"].double_value)
    assert values["truth"].WhichOneof("value") == "bool_value"
    assert values["raw"].bytes_value == b"hi"
    assert values["list"].array_value.values[1].int_value == 1
    assert values["map"].kvlist_value.values[0].value.string_value == "v"
    assert values["nothing"].WhichOneof("value") is None


@pytest.mark.parametrize("trace_id", ["xyz", "zz" * 16, "ü" * 32, "5b8efff798038103d269b633813fc60"])
def test_an_id_that_is_not_hex_is_left_to_be_rejected_by_count(trace_id: str) -> None:
    """One bad id does not cost the batch; its length is one that no id has."""
    assert len(_span({"traceId": trace_id}).trace_id) not in (0, 16)


@pytest.mark.parametrize(
    ("number", "taken"),
    [
        (1e300, 2**63 - 1),
        (2**70, 2**63 - 1),
        (str(-(2**70)), -(2**63)),
        ("-1e300", -(2**63)),
        (2.0**60, 2**60),
        (2**53 + 1, 2**53 + 1),
    ],
)
def test_a_signed_integer_that_is_too_large_is_the_largest(number: float | str, taken: int) -> None:
    """OpenTelemetry JS writes every number without fraction as an integer; one of them does not cost the batch."""
    span = _span({"attributes": [{"key": "a", "value": {"intValue": number}}]})
    assert span.attributes[0].value.int_value == taken


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "SPAN_KIND_SERVER"},
        {"kind": True},
        {"kind": 2**40},
        {"name": 7},
        {"startTimeUnixNano": "soon"},
        {"startTimeUnixNano": 1.5},
        {"startTimeUnixNano": -1},
        {"startTimeUnixNano": 2**64},
        {"startTimeUnixNano": "9" * 5_000},
        {"startTimeUnixNano": "Infinity"},
        {"attributes": {"key": "a"}},
        {"attributes": ["a"]},
        {"attributes": [None]},
        {"attributes": [{"key": "a", "value": {"doubleValue": "inf"}}]},
        {"attributes": [{"key": "a", "value": {"doubleValue": 10**400}}]},
        {"attributes": [{"key": "a", "value": {"boolValue": "true"}}]},
        {"attributes": [{"key": "a", "value": {"bytesValue": "?"}}]},
        {"status": []},
    ],
)
def test_wrong_types_are_undecodable(changes: dict[str, Any]) -> None:
    """A value that no conforming sender sends fails the request as a whole."""
    with pytest.raises(UndecodableError):
        _span(changes)


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'"x"', b"\xff", b"{} x", b"[" * 100_000, b'{"resourceSpans": [1]}', b'"\xff"', b"1e999"],
)
def test_what_is_not_a_json_object_is_undecodable(body: bytes) -> None:
    """Malformed bytes and deep nesting raise the one error of the decoder."""
    with pytest.raises(UndecodableError):
        decode_json(ExportTraceServiceRequest, body)


def test_deep_values_are_undecodable_or_decoded_but_never_fatal() -> None:
    """Nested arrays as deep as a parser can take them raise the one error of the decoder."""
    deep = '{"arrayValue":{"values":[' * 300 + "{}" + "]}}" * 300
    body = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"a","value":' + deep + "}]}]}]}]}"
    with pytest.raises(UndecodableError):
        decode_json(ExportTraceServiceRequest, body.encode())


@given(
    st.one_of(
        messages(ExportTraceServiceRequest),
        messages(ExportMetricsServiceRequest),
        messages(ExportLogsServiceRequest),
    )
)
def test_json_decodes_to_the_same_message_as_protobuf(message: Message) -> None:
    """Every field of traces, metrics and logs survives the way through JSON."""
    assert decode_json(type(message), json.dumps(as_json(message)).encode()) == message


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_but_undecodable(body: bytes) -> None:
    """No input reaches the edge as another error."""
    try:
        decode_json(ExportTraceServiceRequest, body)
    except UndecodableError:
        return


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["resourceSpans", "scopeSpans", "spans", "status", "kind"]), inner)
    ),
    max_leaves=12,
)


@given(json_values)
def test_arbitrary_json_raises_nothing_but_undecodable(value: Any) -> None:
    """Right keys with wrong values are one error as well."""
    try:
        decode_json(ExportTraceServiceRequest, json.dumps(value).encode())
    except UndecodableError:
        return

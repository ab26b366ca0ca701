"""Traces decoded to structs say what the same traces as messages say, and come to the same in the state."""

import json
from typing import Any

import pytest
from hypothesis import given
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.otlp.errors import UndecodableError
from telemetry.otlp.json_decode import decode_json
from telemetry.otlp.json_spans import decode_spans
from telemetry.state import TelemetryState
from telemetry.steps import whole
from tests.support_otlp_messages import as_json, differences, messages

SPAN = {
    "traceId": "5B8EFFF798038103D269B633813FC60C",
    "spanId": "eee19b7ec3c1b174",
    "name": "GET /",
    "kind": 2,
    "startTimeUnixNano": "1544712660000000000",
    "endTimeUnixNano": 1544712661000000000,
    "status": {"code": 2},
    "events": [{"name": "exception", "attributes": [{"key": "exception.type", "value": {"stringValue": "KeyError"}}]}],
}


def _body(changes: dict[str, Any]) -> bytes:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "quote"}}]}
    span = SPAN | changes
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}).encode()


def _value(value: Any) -> dict[str, Any]:
    return {"attributes": [{"key": "a", "value": value}]}


@given(messages(ExportTraceServiceRequest))
def test_structs_say_what_messages_say(message: ExportTraceServiceRequest) -> None:
    """Whatever is decoded to structs has every field of the message; the rest is left to the other decoder."""
    read = decode_spans(json.dumps(as_json(message)).encode())
    assert read is None or differences(read, message) == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"parentSpanId": "", "traceState": "a=b", "flags": 257, "somethingNew": {"a": [None]}},
        {"links": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}]},
        _value({"intValue": "-42"}),
        _value({"intValue": -42}),
        _value({"doubleValue": "NaN"}),
        _value({"doubleValue": 1}),
        _value({"boolValue": False}),
        _value({"bytesValue": "aGk="}),
        _value({"arrayValue": {"values": [{"stringValue": "x"}]}}),
        _value({"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 1}}]}}),
        _value({"stringValue": None, "boolValue": True}),
        _value({}),
    ],
)
def test_what_senders_send_is_decoded_to_structs(changes: dict[str, Any]) -> None:
    """The usual bodies take the fast way, and say the same as on the slow one."""
    body = _body(changes)
    read = decode_spans(body)
    assert read is not None
    assert differences(read, decode_json(ExportTraceServiceRequest, body)) == []


@pytest.mark.parametrize("trace_id", ["xyz", "zz" * 16, "ü" * 32, "5b8efff798038103d269b633813fc60"])
def test_an_id_that_is_not_hex_is_rejected_by_count(trace_id: str) -> None:
    """It costs neither the batch nor the fast way."""
    read = decode_spans(_body({"traceId": trace_id}))
    assert read is not None
    assert TelemetryState().add_traces("default", read).rejected == 1


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({"parentSpanId": None}, True),
        ({"startTimeUnixNano": 1.544712660e18}, True),
        ({"startTimeUnixNano": 2**64 - 1}, True),
        ({"flags": "257"}, True),
        (_value({"arrayValue": {"values": [{"arrayValue": {"values": []}}]}}), True),
        (_value({"bytesValue": "aGk_"}), True),
        ({"startTimeUnixNano": "soon"}, False),
        ({"startTimeUnixNano": 2**64}, False),
        ({"kind": "2"}, False),
        ({"kind": True}, False),
        ({"name": 7}, False),
        ({"status": []}, False),
        (_value({"boolValue": 1}), False),
        (_value({"intValue": 2**63}), True),
        (_value({"doubleValue": "inf"}), False),
    ],
)
def test_the_unusual_is_left_to_the_other_decoder(changes: dict[str, Any], valid: bool) -> None:  # noqa: FBT001
    """What the structs do not take is decoded, or refused, by the decoder that knows all the rules."""
    body = _body(changes)
    assert decode_spans(body) is None
    try:
        decode_json(ExportTraceServiceRequest, body)
    except UndecodableError:
        assert not valid
    else:
        assert valid


def test_the_state_learns_the_same_from_structs_as_from_messages() -> None:
    """Windows, exemplars, signatures and versions are those of the message."""
    body = _body({})
    read, message = decode_spans(body), decode_json(ExportTraceServiceRequest, body)
    assert read is not None
    at_s = 1544712661
    learned: list[Any] = []
    for request in (read, message):
        state = TelemetryState(clock=lambda: at_s + 1.0)
        taken = state.add_traces("default", request)
        (key,) = state.keys()
        cells = [(c.requests, c.errors, c.sketch.buckets) for c in state.cells(key, at_s - 60, at_s + 60)]
        exemplars = whole(state.exemplars(("default", "default"), frozenset({"quote"}), at_s - 60, at_s + 60, "error"))
        signatures = state.signatures("default", "default", at_s - 60)
        learned.append((taken, key, cells, exemplars, signatures, state.versions("default", "default", "quote")))
    assert learned[0] == learned[1]
    assert learned[0][4][0].error_type == "KeyError"

"""Payloads: JSON is not mistaken for protobuf, nor the other way round."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.files.payload import read_payload
from telemetry.files.recorded import SignalKind
from telemetry.otlp.codec import Encoding

BRACE = ord("{")


def test_a_protobuf_message_that_begins_like_json_is_protobuf():
    """A first resource group of 123 bytes makes a message begin with a newline and a brace."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    span.start_time_unix_nano = span.end_time_unix_nano = 1
    while request.resource_spans[0].ByteSize() < BRACE:
        span.name += "x"
    payload = request.SerializeToString()
    assert payload[:2] == b"\n{"
    found = read_payload(payload, None, "here")
    assert (found.kind, found.encoding, found.items) == (SignalKind.TRACES, Encoding.PROTOBUF, 1)

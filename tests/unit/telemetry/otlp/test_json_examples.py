"""The examples of OTLP/JSON that opentelemetry-proto gives, and what they are in protobuf."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.otlp.codec import Encoding, decode
from telemetry.otlp.json_decode import decode_json
from tests.support_otlp_messages import differences

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
    "events": ExportLogsServiceRequest,
}


@pytest.mark.parametrize(("name", "kind"), EXAMPLES.items(), ids=EXAMPLES)
def test_an_example_is_the_same_in_json_and_in_protobuf(name: str, kind: type[Message]) -> None:
    """The text form of the message gives its bytes, which decode to what the JSON decodes to, by either decoder."""
    body = (FIXTURES / f"{name}.json").read_bytes()
    expected: Any = text_format.Parse((FIXTURES / f"{name}.txtpb").read_text(), kind())
    assert decode(kind, expected.SerializeToString(), Encoding.PROTOBUF) == expected
    assert decode_json(kind, body) == expected
    assert differences(decode(kind, body, Encoding.JSON), expected) == []

"""Log records in: those of severity ERROR and above become error signatures."""

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from telemetry.state.attributes import read, text_of
from telemetry.state.failure import WANTED
from telemetry.state.resource import Resource
from telemetry.state.signatures import Signatures

BAD_IDS = "log records with trace or span ids of wrong length"
NO_TIME = "log records without time"

_ERROR = 17  # SEVERITY_NUMBER_ERROR
_OPERATION = "(log)"


def take_record(
    record: LogRecord, resource: Resource, signatures: Signatures, *, oldest_ns: int, newest_ns: int
) -> str:
    """Take one log record and return why it was rejected, or ''."""
    at_ns = record.time_unix_nano or record.observed_time_unix_nano
    if not at_ns:
        return NO_TIME
    if len(record.trace_id) not in (0, 16) or len(record.span_id) not in (0, 8):
        return BAD_IDS
    attributes = read(record.attributes, WANTED)
    is_error = record.severity_number >= _ERROR or "exception.type" in attributes
    if is_error and oldest_ns <= at_ns <= newest_ns:
        attributes["message"] = text_of(record.body)
        where = (resource.tenant, resource.environment, resource.service)
        trace_id = record.trace_id.strip(b"\x00") and record.trace_id
        signatures.add(where, attributes, _OPERATION, trace_id, at_ns // 1_000_000_000, entry=False)
    return ""

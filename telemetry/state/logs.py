"""Log records in: those of severity ERROR and above become error signatures, those of a span go with it."""

from collections.abc import Iterable

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from telemetry.state.attributes import read, text_of
from telemetry.state.failure import WANTED
from telemetry.state.intake import Intake
from telemetry.state.profiles import Profiles
from telemetry.state.resource import Resource
from telemetry.state.signatures import Signatures

BAD_IDS = "log records with trace or span ids of wrong length"
NO_TIME = "log records without time"

_ERROR = 17  # SEVERITY_NUMBER_ERROR
_OPERATION = "(log)"


class Logs:
    """The log records of all tenants on their way into signatures and profiles."""

    def __init__(self, signatures: Signatures, profiles: Profiles) -> None:
        self._signatures = signatures
        self._profiles = profiles

    def take(
        self, records: Iterable[LogRecord], resource: Resource, oldest_ns: int, newest_ns: int, intake: Intake
    ) -> None:
        """Take the log records of a resource whose time is within [oldest_ns, newest_ns]."""
        for record in records:
            at_ns = record.time_unix_nano or record.observed_time_unix_nano
            if not at_ns:
                intake.reject(NO_TIME)
            elif len(record.trace_id) not in (0, 16) or len(record.span_id) not in (0, 8):
                intake.reject(BAD_IDS)
            else:
                intake.accepted += 1
                if oldest_ns <= at_ns <= newest_ns:
                    self._take(record, resource, at_ns)

    def _take(self, record: LogRecord, resource: Resource, at_ns: int) -> None:
        trace_id = record.trace_id if record.trace_id.strip(b"\x00") else b""
        if trace_id and record.span_id:
            self._profiles.take_log(record, resource, at_ns)
        attributes = read(record.attributes, WANTED)
        if record.severity_number >= _ERROR or "exception.type" in attributes:
            attributes["message"] = text_of(record.body)
            where = (resource.tenant, resource.environment, resource.service)
            self._signatures.add(where, attributes, _OPERATION, trace_id, at_ns // 1_000_000_000, entry=False)

"""Traces in protobuf, decoded to columns: every field that the state reads of each span, and no other.

Two thirds of a span are attributes, which the state looks at for one span in ten. And to make a message for each span
costs more than to decode it. So the bytes are decoded by other messages than those of opentelemetry-proto's
trace.proto, with its numbers and types:

- In `Columns` all spans of a scope are one message with repeated fields: a field that is not repeated but comes again
  is merged with what came before (Protocol Buffers, "Last One Wins"), and merging repeated fields concatenates them.
- In `Raw` each span is the bytes that it came in, for those whose attributes are read.
- In `Rows` each span is a message, for a column in which some spans have no value: then nothing in `Columns` says whose
  values those are. Parents are such a column in a service where traces begin.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, cast

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from telemetry.state.columns import ResourceColumns, SpanColumns

_PACKAGE: Final = "sre_space.columns"
_RESOURCE: Final = ".opentelemetry.proto.resource.v1.Resource"
_FIELD = FieldDescriptorProto
_ONE, _MANY = _FIELD.LABEL_OPTIONAL, _FIELD.LABEL_REPEATED
_SPAN_FIELDS: Final = (
    ("trace_id", 1, _FIELD.TYPE_BYTES),
    ("span_id", 2, _FIELD.TYPE_BYTES),
    ("parent_span_id", 4, _FIELD.TYPE_BYTES),
    ("name", 5, _FIELD.TYPE_STRING),
    ("kind", 6, _FIELD.TYPE_INT32),
    ("start_time_unix_nano", 7, _FIELD.TYPE_FIXED64),
    ("end_time_unix_nano", 8, _FIELD.TYPE_FIXED64),
    ("status", 15, _FIELD.TYPE_BYTES),  # a Status as it came: most are empty
)


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(
        name="sre_space/columns.proto", package=_PACKAGE, syntax="proto3", dependency=[resource_pb2.DESCRIPTOR.name]
    )
    for name, label in (("Spans", _MANY), ("Span", _ONE)):
        message = file.message_type.add(name=name)
        for field, number, kind in _SPAN_FIELDS:
            message.field.add(name=field, number=number, type=kind, label=label)
    _add_request(file, "Columns", f".{_PACKAGE}.Spans", _ONE)
    _add_request(file, "Rows", f".{_PACKAGE}.Span", _MANY)
    _add_request(file, "Raw", "", _MANY)
    return file


def _add_request(file: FileDescriptorProto, name: str, spans: str, label: "_FIELD.Label.ValueType") -> None:
    """Add an export request whose scopes have `spans` of a message type, or as bytes without one."""
    scope, group, request = (file.message_type.add(name=f"{name}{part}") for part in ("Scope", "Group", ""))
    if spans:
        _add_message(scope, "spans", 2, spans, label)
    else:
        scope.field.add(name="spans", number=2, type=_FIELD.TYPE_BYTES, label=label)
    _add_message(group, "resource", 1, _RESOURCE, _ONE)
    _add_message(group, "scope_spans", 2, f".{_PACKAGE}.{scope.name}", _MANY)
    _add_message(request, "resource_spans", 1, f".{_PACKAGE}.{group.name}", _MANY)


def _add_message(message: DescriptorProto, field: str, number: int, kind: str, label: "_FIELD.Label.ValueType") -> None:
    message.field.add(name=field, number=number, type=_FIELD.TYPE_MESSAGE, type_name=kind, label=label)


_POOL = descriptor_pool.Default()
_POOL.Add(_file())


def _class(name: str) -> type[Message]:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


_COLUMNS, _ROWS, _RAW = _class("Columns"), _class("Rows"), _class("Raw")


def decode_columns(body: bytes) -> list[ResourceColumns]:
    """Return the traces of a protobuf body; of a span whose rest is damaged, `whole` returns an empty one.

    A field that comes twice in one span, which no encoder writes, is taken for that of a span that has none.

    Raises:
        DecodeError: it is no such message; what is within attributes, events and links is not looked at.
    """
    columns, raw = cast("Any", _COLUMNS.FromString(body)), cast("Any", _RAW.FromString(body))
    rows = _Rows(body)
    groups: list[ResourceColumns] = []
    for at, (group, raw_group) in enumerate(zip(columns.resource_spans, raw.resource_spans, strict=True)):
        scopes: list[SpanColumns] = []
        for number, (scope, raw_scope) in enumerate(zip(group.scope_spans, raw_group.scope_spans, strict=True)):
            scopes.append(_scope(scope.spans, raw_scope.spans, partial(rows.of, at, number)))
        groups.append(ResourceColumns(group.resource, scopes))
    return groups


class _Rows:
    """The spans of a body one by one, decoded when they are asked for."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._decoded: Any = None

    def of(self, group: int, scope: int, field: str) -> list[Any]:
        """Return a field of each span of a scope."""
        if self._decoded is None:
            self._decoded = _ROWS.FromString(self._body)
        return [getattr(span, field) for span in self._decoded.resource_spans[group].scope_spans[scope].spans]


def _scope(columns: Any, raw: Sequence[bytes], one_by_one: "partial[list[Any]]") -> SpanColumns:
    count = len(raw)

    def column(field: str, absent: object) -> list[Any]:
        values = getattr(columns, field)[:]
        if len(values) == count:
            return values
        return one_by_one(field) if values else [absent] * count

    def whole(at: int) -> Span:
        try:
            return Span.FromString(raw[at])
        except DecodeError:
            return Span()

    return SpanColumns(
        trace_ids=column("trace_id", b""),
        span_ids=column("span_id", b""),
        parent_ids=column("parent_span_id", b""),
        names=column("name", ""),
        kinds=column("kind", 0),
        starts_ns=column("start_time_unix_nano", 0),
        ends_ns=column("end_time_unix_nano", 0),
        failed=_failed(column("status", b"")),
        whole=whole,
    )


def _failed(statuses: Sequence[bytes]) -> list[bool]:
    if not any(statuses):
        return [False] * len(statuses)
    verdicts = {status: _is_error(status) for status in set(statuses)}
    return list(map(verdicts.__getitem__, statuses))


def _is_error(status: bytes) -> bool:
    """Return whether a status is ERROR; a damaged one counts as UNSET."""
    try:
        return Status.FromString(status).code == Status.STATUS_CODE_ERROR
    except DecodeError:
        return False

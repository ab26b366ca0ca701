"""Heads of spans: traces in protobuf, decoded only as far as every span is read.

Two thirds of a span are attributes, which the state looks at for one span in ten. The messages here have the names and
numbers of opentelemetry/proto/trace/v1/trace.proto and declare the head alone; protobuf keeps the rest as it came
(unknown fields), and `whole` decodes it. Reading a span costs half of what the whole message costs.
"""

from typing import cast

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

_PACKAGE = "sre_space.heads"
_SPAN, _RESOURCE = f".{_PACKAGE}.Span", ".opentelemetry.proto.resource.v1.Resource"
_FIELD = FieldDescriptorProto
_MESSAGES: dict[str, tuple[tuple[str, int, "FieldDescriptorProto.Type.ValueType | str"], ...]] = {
    "Span": (
        ("trace_id", 1, _FIELD.TYPE_BYTES),
        ("span_id", 2, _FIELD.TYPE_BYTES),
        ("parent_span_id", 4, _FIELD.TYPE_BYTES),
        ("name", 5, _FIELD.TYPE_STRING),
        ("kind", 6, _FIELD.TYPE_INT32),
        ("start_time_unix_nano", 7, _FIELD.TYPE_FIXED64),
        ("end_time_unix_nano", 8, _FIELD.TYPE_FIXED64),
        ("status", 15, _FIELD.TYPE_BYTES),  # a Status as it came: most have none
    ),
    "ScopeSpans": (("spans", 2, _SPAN),),
    "ResourceSpans": (("resource", 1, _RESOURCE), ("scope_spans", 2, f".{_PACKAGE}.ScopeSpans")),
    "Request": (("resource_spans", 1, f".{_PACKAGE}.ResourceSpans"),),
}
"""By name: fields with their number and type; those of a message type repeat, but for the resource."""


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(
        name="sre_space/heads.proto", package=_PACKAGE, syntax="proto3", dependency=[resource_pb2.DESCRIPTOR.name]
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            declared = message.field.add(name=field, number=number, label=_FIELD.LABEL_OPTIONAL)
            if isinstance(kind, str):
                declared.type, declared.type_name = _FIELD.TYPE_MESSAGE, kind
                declared.label = _FIELD.LABEL_OPTIONAL if kind == _RESOURCE else _FIELD.LABEL_REPEATED
            else:
                declared.type = kind
    return file


_POOL = descriptor_pool.Default()
_POOL.Add(_file())
_REQUEST = GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.Request"))
_HEAD = GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.Span"))


def decode_heads(body: bytes) -> ExportTraceServiceRequest:
    """Return the traces of a protobuf body, to be read like the message as far as heads go.

    Raises:
        DecodeError: it is no such message; what is within the attributes, events and links is not looked at.
    """
    return cast("ExportTraceServiceRequest", _REQUEST.FromString(body))


def whole(span: Span) -> Span:
    """Return a span with all that came with it; one whose rest is damaged has no attributes, events and links."""
    if type(span) is not _HEAD:
        return span
    try:
        return Span.FromString(span.SerializeToString())
    except DecodeError:
        return Span()


def is_failed(span: Span) -> bool:
    """Return whether the status of a span is ERROR (OpenTelemetry trace API, "Set Status")."""
    if type(span) is not _HEAD:
        return span.status.code == Status.STATUS_CODE_ERROR
    try:
        return Status.FromString(cast("bytes", span.status)).code == Status.STATUS_CODE_ERROR
    except DecodeError:
        return False

"""Traces in OTLP/JSON as senders write them, decoded in one pass to structs that read like the protobuf messages.

The structs have the attributes, and the few methods, of the messages that the state reads. They take what the SDKs and
the Collector send; what else OTLP/JSON allows (null, integers as floats, values nested deeper) is left to
`json_decode`, which decides also whether a body is wrong. Both give the same telemetry.
"""

import binascii
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta, Struct, field
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

NO_ID = b"not an id"
"""Stands for an id that is not hex: a length that no id has, so that the span is rejected by count."""

_INT64_MAX = 2**63 - 1
# Below the range of 64 bits in every case: longer ones are for the other decoder to judge.
_Nanos = Annotated[int, Meta(ge=0, le=_INT64_MAX)] | Annotated[str, Meta(pattern=r"^[0-9]{1,19}\Z")]
_Int64 = Annotated[int, Meta(ge=-_INT64_MAX - 1, le=_INT64_MAX)] | Annotated[str, Meta(pattern=r"^-?[0-9]{1,18}\Z")]
_Uint32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
_Enum = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
_Double = float | Literal["NaN", "Infinity", "-Infinity"]


def identifier(text: str) -> bytes:
    """Return the bytes of an id in hex, either case; `NO_ID` where it is not hex."""
    try:
        return binascii.unhexlify(text)
    except ValueError:  # also where it is not ASCII
        return NO_ID


_KINDS = ("string_value", "int_value", "bool_value", "double_value", "array_value", "kvlist_value", "bytes_value")


class _Message(Struct, rename="camel", frozen=True, gc=False):
    """A message: unknown keys are ignored; no cycles, hence nothing for the garbage collector."""


class _Value(_Message, frozen=True, gc=False):
    """The scalar kinds of an AnyValue; absent ones are None."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_text: _Int64 | None = field(default=None, name="intValue")
    double_text: _Double | None = field(default=None, name="doubleValue")
    bytes_value: bytes | None = None

    @property
    def int_value(self) -> int | None:
        """The value if it is an integer."""
        return None if self.int_text is None else int(self.int_text)

    @property
    def double_value(self) -> float | None:
        """The value if it is a double."""
        return None if self.double_text is None else float(self.double_text)

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 — what protobuf calls it
        """Return the name of the kind that is set, None without any."""
        return next((kind for kind in _KINDS if getattr(self, kind, None) is not None), None)


class _Inner(_Value, frozen=True, gc=False, forbid_unknown_fields=True):
    """A value within a value: a scalar here, deeper ones are left to the other decoder."""


class _InnerPair(_Message, frozen=True, gc=False, forbid_unknown_fields=True):
    key: str = ""
    value: _Inner = _Inner()


class _Array(_Message, frozen=True, gc=False):
    values: tuple[_Inner, ...] = ()


class _KeyValueList(_Message, frozen=True, gc=False):
    values: tuple[_InnerPair, ...] = ()


class _AnyValue(_Value, frozen=True, gc=False):
    array_value: _Array | None = None
    kvlist_value: _KeyValueList | None = None


class _KeyValue(_Message, frozen=True, gc=False):
    key: str = ""
    value: _AnyValue = _AnyValue()


class _EntityRef(_Message, frozen=True, gc=False):
    schema_url: str = ""
    type: str = ""
    id_keys: tuple[str, ...] = ()
    description_keys: tuple[str, ...] = ()


class _Resource(_Message, frozen=True, gc=False):
    attributes: tuple[_KeyValue, ...] = ()
    dropped_attributes_count: _Uint32 = 0
    entity_refs: tuple[_EntityRef, ...] = ()

    def SerializeToString(self) -> bytes:  # noqa: N802 — what protobuf calls it
        """Return bytes that are the same for the same resource."""
        return msgspec.json.encode(self)


class _Scope(_Message, frozen=True, gc=False):
    name: str = ""
    version: str = ""
    attributes: tuple[_KeyValue, ...] = ()
    dropped_attributes_count: _Uint32 = 0


class _Status(_Message, frozen=True, gc=False):
    message: str = ""
    code: _Enum = 0


class _Event(_Message, frozen=True, gc=False):
    time_text: _Nanos = field(default=0, name="timeUnixNano")
    name: str = ""
    attributes: tuple[_KeyValue, ...] = ()
    dropped_attributes_count: _Uint32 = 0

    @property
    def time_unix_nano(self) -> int:
        """When it was."""
        return int(self.time_text)


class _Identified(_Message, frozen=True, gc=False):
    """What has the ids of a span."""

    trace_hex: str = field(default="", name="traceId")
    span_hex: str = field(default="", name="spanId")
    trace_state: str = ""
    attributes: tuple[_KeyValue, ...] = ()
    dropped_attributes_count: _Uint32 = 0
    flags: _Uint32 = 0

    @property
    def trace_id(self) -> bytes:
        """The id of the trace."""
        return identifier(self.trace_hex)

    @property
    def span_id(self) -> bytes:
        """The id of the span."""
        return identifier(self.span_hex)


class _Link(_Identified, frozen=True, gc=False):
    """A link to a span."""


class _Span(_Identified, frozen=True, gc=False):
    parent_hex: str = field(default="", name="parentSpanId")
    name: str = ""
    kind: _Enum = 0
    start_text: _Nanos = field(default=0, name="startTimeUnixNano")
    end_text: _Nanos = field(default=0, name="endTimeUnixNano")
    events: tuple[_Event, ...] = ()
    dropped_events_count: _Uint32 = 0
    links: tuple[_Link, ...] = ()
    dropped_links_count: _Uint32 = 0
    status: _Status = _Status()

    @property
    def parent_span_id(self) -> bytes:
        """The id of the parent, empty without one."""
        return identifier(self.parent_hex)

    @property
    def start_time_unix_nano(self) -> int:
        """When it began."""
        return int(self.start_text)

    @property
    def end_time_unix_nano(self) -> int:
        """When it ended."""
        return int(self.end_text)


class _ScopeSpans(_Message, frozen=True, gc=False):
    scope: _Scope = _Scope()
    spans: tuple[_Span, ...] = ()
    schema_url: str = ""


class _ResourceSpans(_Message, frozen=True, gc=False):
    resource: _Resource = _Resource()
    scope_spans: tuple[_ScopeSpans, ...] = ()
    schema_url: str = ""


class _Request(_Message, frozen=True, gc=False):
    resource_spans: tuple[_ResourceSpans, ...] = ()


_DECODER = msgspec.json.Decoder(_Request)


def decode_spans(body: bytes) -> ExportTraceServiceRequest | None:
    """Return the traces of a JSON body to be read like the message, None where `json_decode` must look at it."""
    try:
        return cast("ExportTraceServiceRequest", _DECODER.decode(body))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None

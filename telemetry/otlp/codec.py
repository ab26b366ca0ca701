"""Encodings of OTLP/HTTP: requests in, responses and statuses out in the same one."""

import json
from enum import StrEnum
from typing import TypeVar, cast

from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.otlp.errors import UndecodableError, UnsupportedError
from telemetry.otlp.json_decode import decode_json
from telemetry.otlp.json_spans import decode_spans
from telemetry.otlp.span_columns import decode_columns
from telemetry.state.columns import ResourceColumns, columns_of

M = TypeVar("M", bound=Message)


class Encoding(StrEnum):
    """Media types of OTLP/HTTP."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


def encoding_of(content_type: str) -> Encoding:
    """Return the encoding of a Content-Type header; raises UnsupportedError."""
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        return Encoding(media_type)
    except ValueError as error:
        taken = " and ".join(Encoding)
        raise UnsupportedError(f"media types taken are {taken}", headers={"Accept": ", ".join(Encoding)}) from error


def decode(message: type[M], body: bytes, encoding: Encoding) -> M:
    """Return the export request in a body, or what reads like one; raises UndecodableError."""
    if encoding is Encoding.JSON:
        spans = decode_spans(body) if message is ExportTraceServiceRequest else None
        return decode_json(message, body) if spans is None else cast("M", spans)
    try:
        return message.FromString(body)
    except ProtobufDecodeError as error:
        raise _undecodable(message) from error


def decode_traces(body: bytes, encoding: Encoding) -> list[ResourceColumns]:
    """Return the spans of a body as the state takes them; raises UndecodableError."""
    if encoding is Encoding.JSON:
        return columns_of(decode(ExportTraceServiceRequest, body, encoding))
    try:
        return decode_columns(body)
    except ProtobufDecodeError as error:
        raise _undecodable(ExportTraceServiceRequest) from error


def _undecodable(message: type[Message]) -> UndecodableError:
    return UndecodableError(f"the body is not an {message.__name__}")


def encode_status(code: int, text: str, encoding: Encoding) -> bytes:
    """Return a `google.rpc.Status`."""
    if encoding is Encoding.JSON:
        return json.dumps({"code": code, "message": text}).encode()
    return Status(code=code, message=text).SerializeToString()


def encode_taken(response: Message, rejected_field: str, rejected: int, reason: str, encoding: Encoding) -> bytes:
    """Return an export response: `partial_success` stays unset when nothing was rejected.

    64-bit integers are strings in JSON (proto3 JSON mapping).
    """
    if encoding is Encoding.JSON:
        name = "".join(part.title() if at else part for at, part in enumerate(rejected_field.split("_")))
        partial = {"partialSuccess": {name: str(rejected), "errorMessage": reason}} if rejected else {}
        return json.dumps(partial).encode()
    if rejected:
        partial_success = response.partial_success  # type: ignore[attr-defined] — every export response has it
        setattr(partial_success, rejected_field, rejected)
        partial_success.error_message = reason
    return response.SerializeToString()

"""OTLP/JSON to the same messages as protobuf, by the rules in which OTLP differs from the proto3 JSON mapping.

Ids are hex, enums are integers only, keys are lowerCamelCase only, unknown keys are ignored (OpenTelemetry protocol
specification, "JSON Protobuf Encoding"). 64-bit integers may be numbers or strings, null stands for absence. A signed
one that is too large is the largest: JavaScript calls 1e300 an integer, and one attribute must not cost the batch.
"""

import base64
import math
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from telemetry.otlp.errors import UndecodableError
from telemetry.otlp.json_spans import identifier

M = TypeVar("M", bound=Message)
Convert = Callable[[Any], Any]

_HEX_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})
_LARGEST_FLOAT_INTEGER = 2.0**64
_SIGNED_MIN, _SIGNED_MAX = -(2**63), 2**63 - 1


def decode_json(message: type[M], body: bytes) -> M:
    """Return the message that a JSON body describes; raises UndecodableError."""
    try:
        document = msgspec.json.decode(body) if body else {}
        return message(**_message(message.DESCRIPTOR)(document))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UndecodableError("the body is not JSON") from error
    except (TypeError, ValueError, OverflowError) as error:  # OverflowError: an integer beyond every double
        raise UndecodableError(f"the body is not an {message.__name__}: {error}") from error


@cache
def _message(descriptor: Descriptor) -> Convert:
    """Return what turns a JSON object into the keyword arguments of a message."""
    fields: dict[str, tuple[str, Convert]] = {}

    def convert(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise TypeError(f"{descriptor.name} is an object")
        if not fields:  # at first use, not before: messages contain themselves
            fields.update((field.json_name, (field.name, _field(field))) for field in descriptor.fields)
        result: dict[str, Any] = {}
        for key, item in cast("dict[str, Any]", value).items():
            field = fields.get(key)
            if field is not None and item is not None:
                result[field[0]] = field[1](item)
        return result

    return convert


def _field(field: FieldDescriptor) -> Convert:
    one = _scalar(field)
    if not field.is_repeated:
        return one

    def many(value: Any) -> list[Any]:
        if type(value) is not list:
            raise TypeError(f"{field.json_name} is an array")
        return [one(item) for item in cast("list[Any]", value)]

    return many


def _scalar(field: FieldDescriptor) -> Convert:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _message(field.message_type)
    if field.name in _HEX_FIELDS:
        return _identifier
    return _SCALARS.get(field.type, _integer)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("a string was expected")
    return value


def _identifier(value: Any) -> bytes:
    return identifier(_text(value))


def _bytes(value: Any) -> bytes:
    return base64.b64decode(_text(value).replace("-", "+").replace("_", "/"), validate=True)


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError("true or false was expected")
    return value


def _enum(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("enums are integers")
    return value


def _integer(value: Any) -> int:
    if type(value) is str:
        return int(value) if value.lstrip("-").isdecimal() else _integer(float(value))
    if type(value) is float and value.is_integer() and abs(value) <= _LARGEST_FLOAT_INTEGER:
        return int(value)
    if type(value) is not int:
        raise TypeError("an integer was expected")
    return value


def _signed(value: Any) -> int:
    if type(value) is str and not value.lstrip("-").isdecimal():
        value = float(value)
    number = int(value) if type(value) is float and value.is_integer() else _integer(value)
    return min(max(number, _SIGNED_MIN), _SIGNED_MAX)


def _number(value: Any) -> float:
    if type(value) is str:
        number = float(value)
        if not math.isfinite(number) and value not in ("NaN", "Infinity", "-Infinity"):
            raise ValueError("a number was expected")
        return number
    if type(value) not in (int, float):
        raise TypeError("a number was expected")
    return float(value)


_SCALARS: dict[int, Convert] = {
    FieldDescriptor.TYPE_STRING: _text,
    FieldDescriptor.TYPE_BYTES: _bytes,
    FieldDescriptor.TYPE_BOOL: _truth,
    FieldDescriptor.TYPE_DOUBLE: _number,
    FieldDescriptor.TYPE_FLOAT: _number,
    FieldDescriptor.TYPE_ENUM: _enum,
    FieldDescriptor.TYPE_INT64: _signed,
    FieldDescriptor.TYPE_SFIXED64: _signed,
}

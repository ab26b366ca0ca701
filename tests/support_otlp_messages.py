"""OTLP messages of any content, and their JSON form: the other direction, written apart from the decoders."""

import base64
import math
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st


def as_json(message: Message) -> dict[str, Any]:
    """Return the OTLP/JSON form of a message."""
    return {
        field.json_name: [_value(field, item) for item in value] if field.is_repeated else _value(field, value)
        for field, value in message.ListFields()
    }


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return as_json(value)
    if isinstance(value, bytes):
        return value.hex() if field.name.endswith("_id") else base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if field.type in (FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SFIXED64):
        return str(value)
    return value


@st.composite
def messages(draw: st.DrawFn, kind: type[Message], depth: int = 0) -> Message:
    """Draw a message of any valid content."""
    message = kind()
    oneofs: set[str] = set()
    for field in kind.DESCRIPTOR.fields:
        taken = field.containing_oneof is not None and field.containing_oneof.name in oneofs
        if taken or not draw(st.booleans()):
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if depth > 8:
                continue
            nested = messages(field.message_type._concrete_class, depth + 1)
            value = draw(st.lists(nested, max_size=2)) if field.is_repeated else draw(nested)
        else:
            scalars = _SCALARS[field.type]
            value = draw(st.lists(scalars, max_size=3)) if field.is_repeated else draw(scalars)
        if field.is_repeated:
            getattr(message, field.name).extend(value)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, value)
        if field.containing_oneof is not None:
            oneofs.add(field.containing_oneof.name)
    return message


_I64 = st.integers(-(2**63), 2**63 - 1)
_U64 = st.integers(0, 2**64 - 1)
_U32 = st.integers(0, 2**32 - 1)
_I32 = st.integers(-(2**31), 2**31 - 1)
_SCALARS = {
    FieldDescriptor.TYPE_STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=16),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.TYPE_ENUM: st.integers(0, 5),
    FieldDescriptor.TYPE_INT64: _I64,
    FieldDescriptor.TYPE_SFIXED64: _I64,
    FieldDescriptor.TYPE_FIXED64: _U64,
    FieldDescriptor.TYPE_UINT64: _U64,
    FieldDescriptor.TYPE_UINT32: _U32,
    FieldDescriptor.TYPE_FIXED32: _U32,
    FieldDescriptor.TYPE_INT32: _I32,
    FieldDescriptor.TYPE_SINT32: _I32,
}

_PROFILES_ONLY = {"key_strindex", "string_value_strindex"}
"""Indexes into a string table that requests of other signals do not have."""


def differences(read: Any, message: Message, path: str = "") -> list[str]:
    """Return where what reads like a message does not say the same as the message, field by field; NaN equals NaN."""
    if isinstance(read, Message):
        return [] if read == message else [path]
    found: list[str] = []
    for field in message.DESCRIPTOR.fields:
        if field.name in _PROFILES_ONLY:
            continue
        place, mine, theirs = f"{path}.{field.name}", getattr(read, field.name, None), getattr(message, field.name)
        if field.containing_oneof is not None and message.WhichOneof(field.containing_oneof.name) != field.name:
            found += [place] if mine is not None else []
        elif field.is_repeated:
            mine = list(mine or ())
            found += [place] if len(mine) != len(theirs) else []
            for at, (one, other) in enumerate(zip(mine, theirs, strict=False)):
                found += _different(field, one, other, f"{place}[{at}]")
        else:
            found += _different(field, mine, theirs, place)
    return found


def _different(field: FieldDescriptor, mine: Any, theirs: Any, place: str) -> list[str]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return differences(mine, theirs, place)
    same = mine == theirs or (mine != mine and theirs != theirs)  # noqa: PLR0124 — NaN
    return [] if same and type(mine) is type(theirs) else [place]

"""Recorded messages moved in time: every time in them by the same amount, durations as they were."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec
from google.protobuf.message import Message

from telemetry.files.recorded import Recorded
from telemetry.otlp.codec import Encoding

_TIMES = frozenset({"start_time_unix_nano", "end_time_unix_nano", "time_unix_nano", "observed_time_unix_nano"})
_JSON_TIMES = frozenset({"startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "observedTimeUnixNano"})
_TIMELESS = frozenset({"resource", "scope", "attributes", "body"})
"""Parts that hold no times of OTLP's own: they are not gone through."""


def shifted(message: Recorded, by_ns: int) -> bytes:
    """Return a message's payload with all its times later by `by_ns` (earlier when negative); 0 stays unset."""
    if not by_ns:
        return message.payload
    if message.encoding is Encoding.JSON:
        document: Any = msgspec.json.decode(message.payload)
        _shift_json(document, by_ns)
        return msgspec.json.encode(document)
    copy = type(message.request)()
    copy.CopyFrom(message.request)
    _shift_message(copy, by_ns)
    return copy.SerializeToString()


def _shift_message(message: Message, by_ns: int) -> None:
    for field, value in message.ListFields():
        if field.name in _TIMES:
            setattr(message, field.name, max(1, value + by_ns))
        elif field.name not in _TIMELESS and field.message_type is not None:
            for part in _parts(value):
                _shift_message(part, by_ns)


def _parts(value: Any) -> Iterator[Message]:
    if isinstance(value, Message):
        yield value
    else:
        yield from value


def _shift_json(node: Any, by_ns: int) -> None:
    if isinstance(node, list):
        for part in cast("list[Any]", node):
            _shift_json(part, by_ns)
    elif isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        for key, value in fields.items():
            if key in _JSON_TIMES:
                fields[key] = _later(value, by_ns)
            elif key not in _TIMELESS:
                _shift_json(value, by_ns)


def _later(value: Any, by_ns: int) -> Any:
    at_ns = int(value) if value else 0
    return str(max(1, at_ns + by_ns)) if at_ns else value

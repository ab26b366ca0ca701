"""Telemetry files as the Collector's file exporter writes them, for tests of what reads them."""

import base64
import struct
from collections.abc import Iterable
from typing import Any, cast

import msgspec
import zstandard
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def framed(payloads: Iterable[bytes], *, packed: bool = True) -> bytes:
    """Return payloads as `format: proto` writes them: behind their lengths, with `packed` in zstd frames."""
    frames = [zstandard.compress(payload) if packed else payload for payload in payloads]
    return b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)


def json_line(message: Message) -> bytes:
    """Return an export request as one line of OTLP/JSON: hex ids, integer enums, 64-bit integers as text."""
    document = MessageToDict(message, use_integers_for_enums=True)
    return msgspec.json.encode(_with_hex_ids(document)) + b"\n"


def _with_hex_ids(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_hex_ids(part) for part in cast("list[Any]", node)]
    if isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        return {
            key: base64.b64decode(value).hex() if key in _IDS else _with_hex_ids(value) for key, value in fields.items()
        }
    return node

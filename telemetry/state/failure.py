"""A failure as telemetry tells it: its type, message and own frames, and the hash that names it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from telemetry.model import Frame
from telemetry.scrub import scrub, scrub_name
from telemetry.state.stacktrace import SITE, own_frames, place_of, site_of

MESSAGE_MAX = 300
"""Characters kept of a message."""

WANTED = frozenset({"error.type", "exception.type", "exception.message", "exception.stacktrace", *SITE})
"""Attributes of a span, its exception event or a log record that `failure_of` reads."""

_TOP_FRAMES = 3
_MASKS = (
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b"), "<address>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\b(?=[a-f]{0,40}\d)[0-9a-f]{8,64}\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"(?<![\w<])[-+]?\d+(?:\.\d+)?"), "<n>"),
    (re.compile(r"'(?![A-Za-z_][\w.-]{0,40}')[^'\n]{0,200}'"), "'<text>'"),
    (re.compile(r'"(?![A-Za-z_][\w.-]{0,40}")[^"\n]{0,200}"'), '"<text>"'),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong. `message` is a masked template, `hash` identifies it within its service's history."""

    hash: str
    error_type: str
    message: str
    frames: tuple[Frame, ...]


def masked(message: str) -> str:
    """Return a message scrubbed, with ids, numbers, addresses and free quoted text replaced by their kind."""
    text = scrub(message.partition("\n")[0], MESSAGE_MAX)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def failure_of(service: str, attributes: Mapping[str, str], operation: str) -> Failure:
    """Return the failure that attributes describe (`exception.*`, `error.type`, and `message` as a last resort).

    Signature (detection.md, D6): exception type and the top three own frames as module and function; without
    frames the type and the masked message; without either `error.type` and the operation. Without a stack trace the
    place that `code.*` names is shown as a frame; it is where something was said, not what failed, so it names nothing.
    """
    error_type = scrub_name(attributes.get("exception.type", "") or attributes.get("error.type", ""))
    message = masked(attributes.get("exception.message", "") or attributes.get("message", ""))
    frames = own_frames(attributes.get("exception.stacktrace", ""))
    if frames:
        identity = [error_type, *(place_of(frame) for frame in frames[:_TOP_FRAMES])]
    else:
        identity = [error_type, message or operation]
    digest = hashlib.sha256("\x00".join((service, *identity)).encode("utf-8", "replace"))
    return Failure(digest.hexdigest()[:16], error_type, message, frames or site_of(attributes))

"""Topics of the event bus, and what their messages look like."""

from typing import Final

import zstandard
from pydantic import ValidationError

from telemetry import zstd
from telemetry.errors import SreSpaceError
from telemetry.model import Signal

SIGNALS = "signals"
"""Signals of Scout, keyed by group: JSON in a zstd frame, or as it is."""

_MAX_BYTES: Final = 8 * 1024 * 1024


class UnreadableSignalError(SreSpaceError):
    """A message on the topic is not a signal."""


def guid_of(signal: Signal) -> str:
    """Return the guid under which a signal is a delivery: the same however often the bus brings it."""
    return f"{signal.tenant}:{signal.group_id}:{signal.sequence}"


def packed(signal: Signal) -> bytes:
    """Return a signal as a message, a tenth of its JSON in size: a bus keeps thousands, on small machines in memory."""
    return zstandard.compress(signal.model_dump_json().encode())


def signal_of(message: bytes) -> Signal:
    """Return the signal in a message; raises UnreadableSignalError."""
    try:
        plain = zstd.unpacked(message, _MAX_BYTES) if message.startswith(zstd.MAGIC) else message
        return Signal.model_validate_json(plain)
    except ValidationError as error:
        raise UnreadableSignalError(f"it has {error.error_count()} problems as a signal") from error
    except zstd.FrameError as error:
        raise UnreadableSignalError(f"it {error}") from error

"""Topics of the event bus, and what their messages look like."""

from typing import Final

import msgspec
import zstandard

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


class Arrived(msgspec.Struct):
    """A signal that has arrived, as far as it must be known to store it; `payload` is its whole JSON."""

    tenant: str
    group_id: str
    sequence: int
    payload: str = ""

    @property
    def guid(self) -> str:
        """Return the guid of the delivery; see `guid_of`."""
        return f"{self.tenant}:{self.group_id}:{self.sequence}"


_ARRIVED: Final = msgspec.json.Decoder(Arrived)


def arrived(message: bytes) -> Arrived:
    """Return the signal in a message by its name and number; the worker reads the rest, once.

    Raises:
        UnreadableSignalError: it is no JSON of a signal, or too large.
    """
    try:
        plain = zstd.unpacked(message, _MAX_BYTES) if message.startswith(zstd.MAGIC) else message
        found = _ARRIVED.decode(plain)
        found.payload = plain.decode("utf-8")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableSignalError(f"it is no signal: {error}") from error
    except zstd.FrameError as error:
        raise UnreadableSignalError(f"it {error}") from error
    return found

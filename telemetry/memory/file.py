"""One remembered thing as a file: a version, a time and a msgpack body in a zstd frame with its checksum."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import zstandard
from pydantic import BaseModel

from telemetry.model import SeriesKey

VERSION = 1
"""Raised when what older files hold no longer means the same; a new part with a default needs no raise."""

MAX_BYTES = 1024 * 1024 * 1024
_LEVEL = 1

T = TypeVar("T", bound=msgspec.Struct)


class _Envelope(msgspec.Struct):
    version: int
    saved_s: float
    body: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What a file held, or why it cannot be used; both are None when there is no file."""

    content: T | None = None
    saved_s: float = 0.0
    problem: str | None = None
    set_aside: Path | None = None


def write(path: Path, content: msgspec.Struct, now_s: float) -> int:
    """Write `content` in place of what was there, whole or not at all, and return its size in bytes.

    Raises:
        OSError: there is no room, or no right to write there.
    """
    encoder = msgspec.msgpack.Encoder(enc_hook=_encode)
    body = msgspec.Raw(encoder.encode(content))
    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(
        encoder.encode(_Envelope(VERSION, now_s, body))
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return len(packed)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path, kind: type[T], now_s: float, max_age_s: float) -> Kept[T]:
    """Return what was written, unless it is older than `max_age_s`, damaged or of another version.

    What cannot be used is set aside under a name of its own (in place of an earlier one), so that the next write does
    not destroy it.
    """
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        return Kept()
    except OSError as error:
        return Kept(problem=f"cannot be read: {error.strerror}")
    try:
        plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_BYTES)
        envelope = msgspec.msgpack.decode(plain, type=_Envelope)
        problem = _unusable(envelope, now_s, max_age_s)
        if problem is None:
            decoder = msgspec.msgpack.Decoder(kind, dec_hook=_decode)
            return Kept(decoder.decode(envelope.body), envelope.saved_s)
    except (zstandard.ZstdError, msgspec.DecodeError, UnicodeError, ValueError) as error:
        problem = f"is damaged: {error}"
    return Kept(problem=problem, set_aside=set_aside(path))


def _unusable(envelope: _Envelope, now_s: float, max_age_s: float) -> str | None:
    if envelope.version != VERSION:
        return f"has version {envelope.version}, not {VERSION}"
    if now_s - envelope.saved_s > max_age_s:
        return f"is older than {max_age_s / 86_400:.0f} days"
    return None


def set_aside(path: Path) -> Path | None:
    """Rename a file that cannot be used and return its new name, None when not even that is possible."""
    aside = path.with_name(f"{path.name}.unusable")
    try:
        path.replace(aside)
    except OSError:
        return None
    return aside


def _encode(value: Any) -> Any:
    if isinstance(value, SeriesKey):
        return [value.tenant, value.environment, value.service, value.operation]
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    raise NotImplementedError(type(value).__name__)


def _decode(kind: type[Any], value: Any) -> Any:
    if kind is SeriesKey:
        tenant, environment, service, operation = value
        return SeriesKey(tenant=tenant, environment=environment, service=service, operation=operation)
    if issubclass(kind, BaseModel):
        return kind.model_validate_json(value)
    raise NotImplementedError(kind.__name__)

"""Bodies: read with a limit on the wire, and unpacked with one when their turn has come."""

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from telemetry.otlp.errors import TooLargeError, UndecodableError, UnsupportedError
from telemetry.otlp.room import Share

_GZIP_WINDOW = 31  # zlib.decompressobj: gzip header and trailer only
_MEMBERS_MAX = 100  # of one gzip body: each costs a decompressor
_SIZE_BYTES = 4


class Coding(StrEnum):
    """Content codings that are taken."""

    IDENTITY = "identity"
    GZIP = "gzip"


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it came, at most `limit` bytes of it and of what it unpacks to."""

    wire: bytes
    coding: Coding
    limit: int

    @property
    def claim(self) -> int:
        """How many bytes it says that it needs: a gzip member ends with the size of what is in it (RFC 1952, ISIZE).

        Nobody has to say the truth; what it really unpacks to is bounded by `limit`.
        """
        if self.coding is Coding.IDENTITY:
            return len(self.wire)
        size = int.from_bytes(self.wire[-_SIZE_BYTES:], "little")
        return max(len(self.wire), min(size, self.limit))

    def unpacked(self) -> bytes:
        """Return what it means; raises TooLargeError or UndecodableError."""
        if len(self.wire) > self.limit:
            raise TooLargeError(f"the body exceeds {self.limit} bytes")
        if self.coding is Coding.IDENTITY or not self.wire:
            return self.wire
        parts: list[bytes] = []
        size, rest = 0, self.wire
        while rest:
            if len(parts) == _MEMBERS_MAX:
                raise UndecodableError(f"the gzip body has more than {_MEMBERS_MAX} members")
            member = zlib.decompressobj(_GZIP_WINDOW)
            try:
                part = member.decompress(rest, self.limit - size + 1)
            except zlib.error as error:
                raise UndecodableError("the body is not gzip") from error
            size += len(part)
            if size > self.limit:
                raise TooLargeError(f"the decompressed body exceeds {self.limit} bytes")
            if not member.eof:
                raise UndecodableError("the gzip body is cut off")
            parts.append(part)
            rest = member.unused_data
        return _joined(parts)


def coding_of(content_encoding: str) -> Coding:
    """Return the coding that a Content-Encoding header names; raises UnsupportedError."""
    try:
        return Coding(content_encoding.strip().lower() or Coding.IDENTITY)
    except ValueError as error:
        raise UnsupportedError(
            "content codings taken are gzip and identity", headers={"Accept-Encoding": "gzip, identity"}
        ) from error


async def read_body(
    stream: AsyncIterator[bytes], coding: Coding, limit: int, share: Share, *, declared: int | None = None
) -> Body:
    """Return the body that a stream brings, for which room is taken.

    `declared` is its Content-Length: what is too large or has no room is refused before it is read. Raises a
    RefusedError then, and when the stream brings too much.
    """
    too_large = TooLargeError(f"the body exceeds {limit} bytes")
    if declared is not None:
        if declared > limit:
            raise too_large
        share.expect(declared)
    parts: list[bytes] = []
    size = 0
    async for part in stream:
        size += len(part)
        if size > limit:
            raise too_large
        share.take(len(part))
        parts.append(part)
    body = Body(_joined(parts), coding, limit)
    share.take(body.claim - size)
    return body


def _joined(parts: list[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else b"".join(parts)

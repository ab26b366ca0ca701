"""Bodies: read with a limit on the stream and after decompression."""

import zlib
from collections.abc import AsyncIterator
from typing import Protocol

from telemetry.otlp.errors import TooLargeError, UndecodableError, UnsupportedError
from telemetry.otlp.room import Share

_GZIP_WINDOW = 31  # zlib.decompressobj: gzip header and trailer only
_STEP = 65_536  # bytes decompressed at a time
_MEMBERS_MAX = 100  # of one gzip body: each costs a decompressor


class Decoder(Protocol):
    """A content coding."""

    def feed(self, chunk: bytes) -> bytes:
        """Return what a chunk decodes to; raises TooLargeError or UndecodableError."""
        ...

    def finish(self) -> None:
        """Raise UndecodableError when the end is missing."""
        ...


class _Identity:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        self._size += len(chunk)
        if self._size > self._limit:
            raise TooLargeError(f"the body exceeds {self._limit} bytes")
        return chunk

    def finish(self) -> None:
        """An identity body ends where it ends."""


class _Gzip:
    """Members of gzip (RFC 1952), decompressed step by step so that a bomb is noticed at the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._members = 0

    def feed(self, chunk: bytes) -> bytes:
        parts: list[bytes] = []
        while chunk:
            if self._members == 0 or self._member.eof:
                self._next_member()
            try:
                part = self._member.decompress(chunk, _STEP)
            except zlib.error as error:
                raise UndecodableError("the body is not gzip") from error
            self._size += len(part)
            if self._size > self._limit:
                raise TooLargeError(f"the decompressed body exceeds {self._limit} bytes")
            parts.append(part)
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return b"".join(parts)

    def _next_member(self) -> None:
        self._members += 1
        if self._members > _MEMBERS_MAX:
            raise UndecodableError(f"the gzip body has more than {_MEMBERS_MAX} members")
        self._member = zlib.decompressobj(_GZIP_WINDOW)

    def finish(self) -> None:
        if self._members and not self._member.eof:
            raise UndecodableError("the gzip body is cut off")


def decoder_for(content_encoding: str, limit: int) -> Decoder:
    """Return the decoder of a Content-Encoding header; raises UnsupportedError."""
    match content_encoding.strip().lower():
        case "" | "identity":
            return _Identity(limit)
        case "gzip":
            return _Gzip(limit)
        case _:
            raise UnsupportedError(
                "content codings taken are gzip and identity", headers={"Accept-Encoding": "gzip, identity"}
            )


async def read_body(
    stream: AsyncIterator[bytes], content_encoding: str, limit: int, share: Share, *, declared: int | None = None
) -> bytes:
    """Return the decoded body, at most `limit` bytes on the wire and after decoding.

    `declared` is the Content-Length, refused at once when too large. Raises a RefusedError otherwise.
    """
    if declared is not None and declared > limit:
        raise TooLargeError(f"the body exceeds {limit} bytes")
    decoder = decoder_for(content_encoding, limit)
    wire = _Identity(limit)
    parts: list[bytes] = []
    async for chunk in stream:
        part = decoder.feed(wire.feed(chunk))
        share.take(len(part))
        parts.append(part)
    decoder.finish()
    return parts[0] if len(parts) == 1 else b"".join(parts)

"""Telemetry files as the Collector's file exporter writes them.

JSON lines, or messages that each follow their length as four bytes, big-endian (protobuf, or anything in zstd frames);
the file as a whole may be packed with gzip or zstd besides.
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/fileexporter#file-format
"""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import zstandard

from telemetry import zstd
from telemetry.errors import TelemetryFileError
from telemetry.files.payload import MAX_MESSAGE_BYTES, UnreadableError, named_kind, read_payload
from telemetry.files.recorded import Recorded

_GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 4
_SKIP_BYTES = 1024 * 1024
_WRITES = "the Collector's file exporter writes JSON lines, or messages behind a four-byte length"


class TelemetryFile:
    """One file, read from where the last look ended, one message at a time.

    Offsets are of the content without the packing of the whole file. A packed file that was cut off exactly between
    two messages cannot be told from a whole one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._number = 0
        self._kind = named_kind(path)

    def messages(self, *, growing: bool = False) -> Iterator[Recorded]:
        """Yield the messages that were added since the last call; an empty file has none.

        With `growing` a file exporter may still be writing: an unfinished last message is left for the next call.

        Raises:
            TelemetryFileError: the file cannot be opened, is damaged or cut off, or is no telemetry.
        """
        try:
            with self._path.open("rb") as file:
                content = self._content(file)
                self._skip(content)
                yield from self._read(content, growing=growing)
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror or error}") from error
        except (EOFError, zlib.error, zstandard.ZstdError) as error:
            if growing and isinstance(error, EOFError):
                return
            raise self._wrong(
                f"the packing of the file is damaged or cut off ({error}); pack or copy it anew"
            ) from error

    def _content(self, file: io.BufferedReader) -> io.BufferedReader:
        magic = file.read(_HEAD_BYTES)
        file.seek(0)
        if magic.startswith(_GZIP_MAGIC):
            return io.BufferedReader(gzip.GzipFile(fileobj=file))
        if magic == zstd.MAGIC:
            unpacked = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            return io.BufferedReader(unpacked)
        return file

    def _skip(self, content: io.BufferedReader) -> None:
        if content.seekable():
            content.seek(self._offset)
            return
        left = self._offset
        while left and (skipped := len(content.read(min(left, _SKIP_BYTES)))):
            left -= skipped

    def _read(self, content: io.BufferedReader, *, growing: bool) -> Iterator[Recorded]:
        head = content.peek(1)[:1]
        if head in {b"{", b"\n", b"\r", b" "}:
            yield from self._lines(content, growing=growing)
        else:
            yield from self._frames(content, growing=growing)

    def _lines(self, content: io.BufferedReader, *, growing: bool) -> Iterator[Recorded]:
        while line := content.readline(MAX_MESSAGE_BYTES + 1):
            whole = line.endswith(b"\n")
            if len(line) > MAX_MESSAGE_BYTES:
                raise self._wrong(f"has a line of over {MAX_MESSAGE_BYTES >> 20} MiB")
            if not whole and growing:
                return
            found = self._message(line.strip(), cut_off=not whole) if line.strip() else None
            self._offset += len(line)
            if found is not None:
                yield found

    def _frames(self, content: io.BufferedReader, *, growing: bool) -> Iterator[Recorded]:
        while head := content.read(_HEAD_BYTES):
            length = struct.unpack(">I", head)[0] if len(head) == _HEAD_BYTES else 0
            if length > MAX_MESSAGE_BYTES:
                raise self._wrong(f"claims a length of {length} bytes, so this is no telemetry file: {_WRITES}")
            message = content.read(length)
            if len(head) < _HEAD_BYTES or len(message) < length:
                if growing:
                    return
                has = f"{len(message)} of {length} bytes" if len(head) == _HEAD_BYTES else "not even its length"
                raise self._wrong(f"is cut off: {has}. Its writer was stopped, or the copy is not complete")
            found = self._message(message, cut_off=False)
            self._offset += _HEAD_BYTES + length
            yield found

    def _message(self, packed: bytes, *, cut_off: bool) -> Recorded:
        place = f"{self._path}, message {self._number + 1} at byte {self._offset}"
        try:
            found = read_payload(packed, self._kind, place)
        except UnreadableError as error:
            reason = f"is cut off: {error}" if cut_off else f"{error}; {_WRITES}"
            raise self._wrong(reason) from error
        self._number, self._kind = self._number + 1, found.kind
        return found

    def _wrong(self, problem: str) -> TelemetryFileError:
        return self._error(f"cannot be read on: message {self._number + 1} at byte {self._offset} {problem}")

    def _error(self, problem: str) -> TelemetryFileError:
        return TelemetryFileError(str(self._path), problem)

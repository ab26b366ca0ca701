"""A log file that keeps to its size: the full one is kept beside it, older ones go."""

from pathlib import Path
from typing import BinaryIO, Final

_MAX_BYTES: Final = 10 * 1024 * 1024


class LogFile:
    """Appends lines to `path`; at `max_bytes` the file becomes `path.1`."""

    def __init__(self, path: Path, *, max_bytes: int = _MAX_BYTES) -> None:
        self.path = path
        self._max_bytes = max_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        """Append one line."""
        if self._file.tell() + len(line) > self._max_bytes:
            self._file.close()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self._file = self.path.open("ab", buffering=0)
        self._file.write(line + b"\n")

    def tail(self, lines: int) -> str:
        """Return the last lines."""
        return "\n".join(self.path.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

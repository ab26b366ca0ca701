"""The lock that gives a folder one owner process; it ends with the process, however that ends."""

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

from bot.adapters.memory.errors import MemoryInUseError

LOCK_FILE = "owner.lock"


@contextlib.contextmanager
def owned(path: Path) -> Generator[None]:
    """Hold the lock of the folder `path`, which is made when it is missing.

    Raises:
        MemoryInUseError: another process, or another holder in this one, has it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MemoryInUseError(path, _owner(descriptor)) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _owner(descriptor: int) -> str:
    return os.pread(descriptor, 64, 0).decode("ascii", "replace")

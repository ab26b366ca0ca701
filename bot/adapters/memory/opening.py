"""Opening the incident memory: a folder that is owned meanwhile, or a Chroma server that several workers share."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import chromadb
import httpx
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import ChromaError

from bot.adapters.memory.chroma import ChromaMemory
from bot.adapters.memory.embedder import Embedder, HashingEmbedder
from bot.adapters.memory.errors import MemoryCorruptError, MemoryUnavailableError
from bot.adapters.memory.lock import owned

_PORTS = {"http": 8000, "https": 443}
_TIMEOUT_S = 10.0


@contextlib.asynccontextmanager
async def open_memory(place: Path | str, embedder: Embedder | None = None) -> AsyncGenerator[ChromaMemory]:
    """Open the incident memory in a folder (a path) or on a server (a URL), with the hashing embedder unless told.

    Raises:
        MemoryInUseError: another process owns the folder.
        MemoryCorruptError: the folder holds something that ChromaDB cannot open.
        MemoryUnavailableError: the server does not answer.
        MemoryMismatchError: what is there was written with another embedder.
    """
    with _held(place):
        client = await asyncio.to_thread(_in_folder if isinstance(place, Path) else _on_server, place)
        with contextlib.ExitStack() as stack:
            stack.callback(client.close)
            if not isinstance(place, Path):
                for session in _bounded(client):
                    stack.callback(session.close)
            memory = ChromaMemory(client, place, embedder or HashingEmbedder())
            await memory.check()
            yield memory


@contextlib.contextmanager
def _held(place: Path | str) -> Generator[None]:
    """Own a folder; a server guards itself."""
    with contextlib.ExitStack() as stack:
        if isinstance(place, Path):
            stack.enter_context(owned(place))
        yield


def _in_folder(place: Path | str) -> Client:
    path = Path(place)
    try:
        # The declared type hides `close`, which gives up files and threads.
        return cast("Client", chromadb.PersistentClient(path, Settings(anonymized_telemetry=False)))
    except (ChromaError, ValueError) as error:
        raise MemoryCorruptError(path, str(error)) from error


def _on_server(place: Path | str) -> Client:
    url = urlsplit(str(place))
    secure = url.scheme == "https"
    try:
        return cast(
            "Client",
            chromadb.HttpClient(
                host=url.hostname or "",
                port=url.port or _PORTS.get(url.scheme, 80),
                ssl=secure,
                settings=Settings(anonymized_telemetry=False),
            ),
        )
    except (ChromaError, ValueError) as error:
        raise MemoryUnavailableError(
            f"The Chroma server at {place} does not answer ({error}). Start it (chroma run), correct CHROMA_URL, or "
            "unset it to keep the memory in the state folder."
        ) from error


def _bounded(client: Client) -> tuple[httpx.Client, ...]:
    """Return the connections to the server, from now on with a time limit.

    Chroma 1.5 makes two of them, sets no limit, and `close` leaves them open; there is no public way to them.
    """
    inner: Any = client
    servers = (inner._server, inner._admin_client._server)  # noqa: SLF001 - see above
    sessions = tuple(server._session for server in servers)  # noqa: SLF001 - see above
    for session in sessions:
        session.timeout = httpx.Timeout(_TIMEOUT_S)
    return sessions

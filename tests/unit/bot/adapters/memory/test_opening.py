"""Opening the incident memory: a server's address, how long it may take, and what is put away at the end."""

from types import SimpleNamespace

import httpx
import pytest
from chromadb.errors import InternalError

from bot.adapters.memory import MemoryCorruptError, MemoryInUseError, MemoryUnavailableError, open_memory, opening
from bot.adapters.memory.lock import owned


class Server:
    """A client of Chroma with the two connections that Chroma 1.5 makes."""

    def __init__(self):
        self.asked, self.closed = {}, False
        self.sessions = [httpx.Client(), httpx.Client()]
        self._server = SimpleNamespace(_session=self.sessions[0])
        self._admin_client = SimpleNamespace(_server=SimpleNamespace(_session=self.sessions[1]))

    def open(self, **options):
        """Note how it is opened."""
        self.asked = options
        return self

    def close(self):
        """Close as Chroma does: the connections stay open."""
        self.closed = True


class Memory:
    """An incident memory that has been checked."""

    def __init__(self, client, place, embedder):
        self.client, self.place, self.embedder = client, place, embedder

    async def check(self):
        """Fit."""


@pytest.fixture
def server(monkeypatch):
    """A server that answers."""
    found = Server()
    monkeypatch.setattr(opening.chromadb, "HttpClient", found.open)
    monkeypatch.setattr(opening, "ChromaMemory", Memory)
    return found


@pytest.mark.parametrize(
    ("url", "host", "port", "ssl"),
    [
        ("http://chroma", "chroma", 8000, False),
        ("http://chroma:9000", "chroma", 9000, False),
        ("https://chroma.example", "chroma.example", 443, True),
    ],
)
async def test_the_address_of_a_server_is_taken_apart_and_its_calls_are_bounded(server, url, host, port, ssl):
    """Chroma sets no time limit, and leaves its connections open."""
    async with open_memory(url) as memory:
        assert (server.asked["host"], server.asked["port"], server.asked["ssl"]) == (host, port, ssl)
        assert server.asked["settings"].anonymized_telemetry is False
        assert [session.timeout.read for session in server.sessions] == [10.0, 10.0]
        assert (memory.place, memory.embedder.name) == (url, "hashing-v1")
    assert server.closed
    assert all(session.is_closed for session in server.sessions)


@pytest.mark.parametrize("error", [ValueError("Could not connect to a Chroma server"), InternalError("502")])
async def test_a_server_that_does_not_answer_says_what_to_do(monkeypatch, error):
    """It may answer at the next try."""

    def silent(**_):
        raise error

    monkeypatch.setattr(opening.chromadb, "HttpClient", silent)
    with pytest.raises(MemoryUnavailableError) as caught:
        async with open_memory("http://chroma:8000"):
            pass
    assert str(caught.value) == (
        f"The Chroma server at http://chroma:8000 does not answer ({error}). Start it (chroma run), correct "
        "CHROMA_URL, or unset it to keep the memory in the state folder."
    )


async def test_a_folder_that_chroma_cannot_open_is_named_and_free_again(monkeypatch, tmp_path):
    """For whoever moves it away."""

    def broken(*_):
        raise InternalError("file is not a database")

    monkeypatch.setattr(opening.chromadb, "PersistentClient", broken)
    with pytest.raises(MemoryCorruptError) as caught:
        async with open_memory(tmp_path):
            pass
    assert str(caught.value) == (
        f"The incident memory {tmp_path} cannot be used: file is not a database. Move the folder away to start anew."
    )
    with owned(tmp_path):
        pass


async def test_a_folder_has_one_owner_who_is_named(tmp_path):
    """Two writers on one path corrupt it silently."""
    with owned(tmp_path), pytest.raises(MemoryInUseError, match=r"is in use by process \d+") as caught:
        async with open_memory(tmp_path):
            pass
    assert "SRE_SPACE_CHROMA_PATH" in str(caught.value)

"""What only the ChromaDB adapter must hold: one owner, files that survive, its space, and no surprises."""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

import chromadb
import pytest
from chromadb.config import Settings

from bot.adapters.memory import (
    HashingEmbedder,
    MemoryCorruptError,
    MemoryInUseError,
    MemoryMismatchError,
    MemoryUnavailableError,
    open_memory,
)
from bot.adapters.memory.chroma import PREFIX
from bot.adapters.memory.opening import _bounded
from tests.contract.test_memory import AT, TEXT, case
from tests.support_chroma import running_chroma
from tests.support_redis import free_port

HOLD = """
import asyncio, sys, pathlib
from bot.adapters.memory import open_memory

async def main():
    async with open_memory(pathlib.Path(sys.argv[1])):
        print("owned", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


async def test_cases_survive_a_restart(tmp_path):
    """What was remembered is there when the folder is opened again."""
    async with open_memory(tmp_path) as memory:
        await memory.remember(case())
    async with open_memory(tmp_path) as memory:
        assert await memory.exact(7, "default", "pool:1") == case()
        found = await memory.nearest(7, "default", service="quote", kind="db_pool_exhaustion", text=TEXT)
    assert found is not None


async def test_a_second_owner_is_refused_and_told_what_to_do(tmp_path):
    """Also within one process: the second holder must not get in."""
    async with open_memory(tmp_path):
        with pytest.raises(MemoryInUseError, match=r"exactly one owner: stop the other worker.*SRE_SPACE_CHROMA_PATH"):
            async with open_memory(tmp_path):
                pass
    async with open_memory(tmp_path):
        pass


async def test_the_lock_of_a_killed_owner_is_free_again(tmp_path):
    """`kill -9` leaves no stale lock behind."""
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(tmp_path), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert owner.stdout is not None
        assert await owner.stdout.readline() == b"owned\n"
        with pytest.raises(MemoryInUseError, match=f"process {owner.pid}"):
            async with open_memory(tmp_path):
                pass
    finally:
        owner.kill()
        await owner.wait()
    async with open_memory(tmp_path) as memory:
        assert await memory.history(7, "default", "pool:1", AT) == ()


async def test_collections_are_in_cosine_space_one_per_installation_and_name_their_embedder(tmp_path):
    """The space is fixed when the collection is made; the default would be squared L2."""
    async with open_memory(tmp_path) as memory:
        await memory.remember(case())
        await memory.remember(case(installation_id=8))
    client = chromadb.PersistentClient(tmp_path, Settings(anonymized_telemetry=False))
    found = {collection.name: collection for collection in client.list_collections()}
    assert set(found) == {f"{PREFIX}7", f"{PREFIX}8"}
    for collection in found.values():
        assert collection.configuration_json["hnsw"]["space"] == "cosine"
        assert collection.metadata["embedder"] == HashingEmbedder.name
    client.close()


class OtherEmbedder(HashingEmbedder):
    """An embedder by another name."""

    name = "hashing-v2"


async def test_a_memory_of_another_embedder_is_refused_and_told_what_to_do(tmp_path):
    """At the start, not at the first incident; going back works."""
    async with open_memory(tmp_path) as memory:
        await memory.remember(case())
    with pytest.raises(MemoryMismatchError, match=r"hashing-v1, but hashing-v2 is configured. Set SRE_SPACE_EMBEDDER"):
        async with open_memory(tmp_path, OtherEmbedder()):
            pass
    async with open_memory(tmp_path) as memory:
        assert await memory.exact(7, "default", "pool:1") == case()


async def test_another_worker_with_another_embedder_is_noticed_on_a_shared_server(tmp_path):
    """Both began with an empty server; whoever writes second is refused."""
    with running_chroma(tmp_path) as url:
        async with open_memory(url) as one, open_memory(url, OtherEmbedder()) as two:
            await one.remember(case())
            with pytest.raises(MemoryMismatchError):
                await two.remember(case(2))


async def test_collections_of_others_on_a_server_are_left_alone(tmp_path):
    """A server may serve more than this."""
    with running_chroma(tmp_path) as url:
        client = chromadb.HttpClient(port=int(url.rpartition(":")[2]), settings=Settings(anonymized_telemetry=False))
        client.create_collection("recipes", embedding_function=None)
        async with open_memory(url) as memory:
            await memory.remember(case())
        assert {collection.name for collection in client.list_collections()} == {"recipes", f"{PREFIX}7"}
        for session in _bounded(client):
            session.close()
        client.close()


async def test_a_server_that_is_away_is_an_error_that_names_the_remedy():
    """Not an empty memory, and not another one in the state folder."""
    with pytest.raises(MemoryUnavailableError, match=r"does not answer.*chroma run.*CHROMA_URL"):
        async with open_memory(f"http://127.0.0.1:{free_port()}"):
            pass


async def test_a_server_that_goes_away_is_worth_another_try(tmp_path):
    """The step is tried again later, as with every TransientError."""
    with running_chroma(tmp_path) as url:
        stack = contextlib.AsyncExitStack()
        memory = await stack.enter_async_context(open_memory(url))
    async with stack:
        with pytest.raises(MemoryUnavailableError):
            await memory.exact(7, "default", "pool:1")


async def test_a_collection_that_is_not_as_we_make_them_is_refused(tmp_path):
    """Distances in another space would be meaningless against the threshold."""
    client = chromadb.PersistentClient(tmp_path, Settings(anonymized_telemetry=False))
    client.create_collection(f"{PREFIX}7", embedding_function=None, metadata={"embedder": HashingEmbedder.name})
    client.close()
    with pytest.raises(MemoryCorruptError, match="not one of ours"):
        async with open_memory(tmp_path):
            pass


async def test_a_folder_that_chroma_cannot_open_is_named(tmp_path):
    """No traceback of a database: the folder, the problem, and what to do."""
    (tmp_path / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    with pytest.raises(MemoryCorruptError, match="Move the folder away"):
        async with open_memory(tmp_path):
            pass


async def test_a_stored_case_that_cannot_be_read_is_an_error_not_a_miss(tmp_path):
    """A memory that lies is worse than one that fails."""
    async with open_memory(tmp_path) as memory:
        await memory.remember(case())
    client = chromadb.PersistentClient(tmp_path, Settings(anonymized_telemetry=False))
    collection = client.get_collection(f"{PREFIX}7", embedding_function=None)
    collection.update(ids=["inc-1"], documents=["{}"], embeddings=HashingEmbedder().embed(["x"]))
    client.close()
    async with open_memory(tmp_path) as memory:
        with pytest.raises(MemoryCorruptError):
            await memory.exact(7, "default", "pool:1")


def test_embedding_is_the_same_everywhere_and_of_unit_length():
    """Vectors are stored for years: these numbers may change only with the embedder's name."""
    embedder = HashingEmbedder()
    vector, empty = embedder.embed([TEXT, ""])
    assert len(vector) == len(empty) == embedder.dimensions
    assert sum(value * value for value in vector) == pytest.approx(1)
    assert sum(value * value for value in empty) == pytest.approx(1)
    assert embedder.embed([TEXT.replace("1080", "7")]) == [vector]
    strongest = max(range(len(vector)), key=lambda index: abs(vector[index]))
    assert (embedder.name, strongest, round(vector[strongest], 4)) == ("hashing-v1", 66, -0.6132)


def test_importing_the_adapter_needs_no_network(tmp_path: Path):
    """Nothing is downloaded, at import or at first use; there is no telemetry."""
    program = (
        "import socket, asyncio, sys, pathlib\n"
        "def refuse(*args, **kwargs): raise SystemExit('network')\n"
        "socket.socket.connect = refuse\n"
        "socket.create_connection = refuse\n"
        "socket.getaddrinfo = refuse\n"
        "from bot.adapters.memory import open_memory\n"
        "from tests.contract.test_memory import case\n"
        "async def main():\n"
        "    async with open_memory(pathlib.Path(sys.argv[1])) as memory:\n"
        "        await memory.remember(case())\n"
        "        assert await memory.exact(7, 'default', 'pool:1') == case()\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr

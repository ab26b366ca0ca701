"""The Memory port over ChromaDB, one collection per installation."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import httpx
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection
from chromadb.api.types import Where
from chromadb.errors import ChromaError
from pydantic import ValidationError

from agents.ports import Case
from bot.adapters.memory.embedder import Embedder
from bot.adapters.memory.errors import MemoryCorruptError, MemoryMismatchError, MemoryUnavailableError

LAST_CASES = 100
"""The nearest case is looked for among this many of the newest ones (design.md, section 4)."""

PREFIX = "sre-space-installation-"
"""Our collections, on a server that may have others."""

T = TypeVar("T")


class ChromaMemory:
    """Verified incidents in ChromaDB. Use `open_memory`, which owns the folder or knows the server.

    A case is one record: its JSON as the document, what is filtered by as metadata, its text as the embedding. The
    collection's metadata names the embedder, so that vectors of two embedders are never compared. Calls block, so they
    run in a thread, one at a time.
    """

    def __init__(self, client: Client, place: Path | str, embedder: Embedder) -> None:
        self._client = client
        self._place = place
        self._embedder = embedder
        self._lock = asyncio.Lock()

    async def check(self) -> None:
        """Return if every collection of ours was written with this embedder.

        Raises:
            MemoryMismatchError: one was not.
            MemoryCorruptError: one is not as we make them.
        """
        await self._run(lambda: [self._checked(found) for found in self._ours()])

    async def exact(self, installation_id: int, tenant: str, signature: str) -> Case | None:
        """Return the newest case with this signature that is not frozen."""
        where = _all({"tenant": tenant}, {"signature": signature}, {"frozen": False})
        cases = await self._run(lambda: self._cases(installation_id, where))
        return next(iter(cases), None)

    async def nearest(
        self, installation_id: int, tenant: str, *, service: str, kind: str, text: str
    ) -> tuple[Case, float] | None:
        """Return the nearest of the last 100 unfrozen cases of this service and kind, and its cosine distance.

        None when the nearest is at the embedder's threshold or beyond.
        """
        where = _all({"tenant": tenant}, {"service": service}, {"kind": kind}, {"frozen": False})
        return await self._run(lambda: self._nearest(installation_id, where, text))

    async def remember(self, case: Case) -> None:
        """Store a case; the same id again replaces it, but does not thaw it."""
        await self._run(lambda: self._remember(case))

    async def freeze(self, installation_id: int, case_id: str) -> None:
        """Never offer this case again; an unknown id is no error."""
        await self._run(lambda: self._freeze(installation_id, case_id))

    async def history(self, installation_id: int, tenant: str, signature: str, since: datetime) -> tuple[Case, ...]:
        """Return every case with this signature verified since then, oldest first, frozen ones too."""
        where = _all({"tenant": tenant}, {"signature": signature})
        cases = await self._run(lambda: self._cases(installation_id, where))
        return tuple(case for case in reversed(cases) if case.verified_at >= since)

    async def _run(self, call: Callable[[], T]) -> T:
        async with self._lock:
            try:
                return await asyncio.to_thread(call)
            except (ChromaError, httpx.HTTPError) as error:
                raise MemoryUnavailableError(f"ChromaDB failed: {error}") from error

    def _cases(self, installation_id: int, where: Where) -> list[Case]:
        """Return the matching cases, newest first."""
        found = self._collection(installation_id).get(where=where, include=["documents"])
        cases = [self._parsed(document) for document in found["documents"] or []]
        return sorted(cases, key=lambda case: (case.verified_at, case.id), reverse=True)

    def _nearest(self, installation_id: int, where: Where, text: str) -> tuple[Case, float] | None:
        newest = self._cases(installation_id, where)[:LAST_CASES]
        if not newest:
            return None
        vector: Sequence[float] = self._embedder.embed([text])[0]
        ids = [case.id for case in newest]
        found = self._collection(installation_id).query(
            query_embeddings=[vector], ids=ids, n_results=1, include=["distances"]
        )
        if not found["ids"][0] or found["distances"] is None:
            return None
        distance = max(0.0, found["distances"][0][0])
        case = next(case for case in newest if case.id == found["ids"][0][0])
        return (case, distance) if distance < self._embedder.threshold else None

    def _remember(self, case: Case) -> None:
        known = self._get(case.installation_id, case.id)
        frozen = case.frozen or (known is not None and known.frozen)
        self._store(case.model_copy(update={"frozen": frozen}))

    def _freeze(self, installation_id: int, case_id: str) -> None:
        known = self._get(installation_id, case_id)
        if known is not None:
            self._store(known.model_copy(update={"frozen": True}))

    def _get(self, installation_id: int, case_id: str) -> Case | None:
        found = self._collection(installation_id).get(ids=[case_id], include=["documents"])
        return next((self._parsed(document) for document in found["documents"] or []), None)

    def _store(self, case: Case) -> None:
        metadata: dict[str, str | bool] = {
            "tenant": case.tenant,
            "service": case.service,
            "kind": case.kind,
            "signature": case.signature,
            "frozen": case.frozen,
        }
        vectors: list[Sequence[float]] = [*self._embedder.embed([case.text])]
        self._collection(case.installation_id).upsert(
            ids=[case.id], embeddings=vectors, metadatas=[metadata], documents=[case.model_dump_json()]
        )

    def _ours(self) -> list[Collection]:
        return [found for found in self._client.list_collections() if found.name.startswith(PREFIX)]

    def _collection(self, installation_id: int) -> Collection:
        found = self._client.get_or_create_collection(
            f"{PREFIX}{installation_id}",
            embedding_function=None,  # otherwise Chroma would download a model
            configuration={"hnsw": {"space": "cosine"}},
            metadata={"embedder": self._embedder.name},
        )
        return self._checked(found)

    def _checked(self, collection: Collection) -> Collection:
        stored = (collection.metadata or {}).get("embedder")
        space = (collection.configuration_json.get("hnsw") or {}).get("space")
        if stored is None or space != "cosine":
            raise MemoryCorruptError(self._place, f"the collection {collection.name} is not one of ours")
        if stored != self._embedder.name:
            raise MemoryMismatchError(self._place, str(stored), self._embedder.name)
        return collection

    def _parsed(self, document: str) -> Case:
        try:
            return Case.model_validate_json(document)
        except ValidationError as error:
            raise MemoryCorruptError(
                self._place, f"a case in it cannot be read ({error.error_count()} problems)"
            ) from error


def _all(*conditions: Where) -> Where:
    return {"$and": list(conditions)}

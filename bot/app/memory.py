"""The incident memory as the settings ask for it. Imported by the worker only, because ChromaDB is large."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import assert_never

from bot.adapters.memory import ChromaMemory, Embedder, HashingEmbedder, OnnxEmbedder, SentenceEmbedder, open_memory
from bot.settings import EmbedderKind, Settings


def make_embedder(settings: Settings) -> Embedder:
    """Return the embedder, loaded; a model may take seconds.

    Raises:
        EmbedderError: its library or model is not on this machine, or its threshold is not known.
    """
    match settings.embedder:
        case EmbedderKind.HASHING:
            return HashingEmbedder()
        case EmbedderKind.ONNX:
            return OnnxEmbedder(settings.embedder_model, settings.embedder_threshold)
        case EmbedderKind.SENTENCE_TRANSFORMERS:
            return SentenceEmbedder(settings.embedder_model, settings.embedder_threshold)
        case _:
            assert_never(settings.embedder)


@contextlib.asynccontextmanager
async def open_incident_memory(settings: Settings) -> AsyncGenerator[ChromaMemory]:
    """Open the memory on the server at CHROMA_URL, else in its folder. Raises what `open_memory` raises."""
    embedder = await asyncio.to_thread(make_embedder, settings)
    async with open_memory(settings.chroma_url or settings.chroma, embedder) as memory:
        yield memory

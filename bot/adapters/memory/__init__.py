"""Incident memory: ChromaDB with an embedder of ours. Imported by the worker only, because ChromaDB is large."""

from bot.adapters.memory.chroma import ChromaMemory, open_memory
from bot.adapters.memory.embedder import Embedder, HashingEmbedder
from bot.adapters.memory.errors import MemoryCorruptError, MemoryInUseError, MemoryUnavailableError

__all__ = [
    "ChromaMemory",
    "Embedder",
    "HashingEmbedder",
    "MemoryCorruptError",
    "MemoryInUseError",
    "MemoryUnavailableError",
    "open_memory",
]

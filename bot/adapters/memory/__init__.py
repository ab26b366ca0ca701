"""Incident memory: ChromaDB with an embedder of ours. Imported by the worker only, because ChromaDB is large."""

from bot.adapters.memory.chroma import ChromaMemory
from bot.adapters.memory.embedder import Embedder, HashingEmbedder
from bot.adapters.memory.errors import (
    EmbedderError,
    MemoryCorruptError,
    MemoryInUseError,
    MemoryMismatchError,
    MemoryUnavailableError,
)
from bot.adapters.memory.onnx import OnnxEmbedder
from bot.adapters.memory.opening import open_memory
from bot.adapters.memory.sentences import SentenceEmbedder

__all__ = [
    "ChromaMemory",
    "Embedder",
    "EmbedderError",
    "HashingEmbedder",
    "MemoryCorruptError",
    "MemoryInUseError",
    "MemoryMismatchError",
    "MemoryUnavailableError",
    "OnnxEmbedder",
    "SentenceEmbedder",
    "open_memory",
]

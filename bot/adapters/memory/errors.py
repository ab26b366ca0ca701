"""Errors of the incident memory.

SreSpaceError                    (telemetry.errors)
├── TransientError
│   └── MemoryUnavailableError   ChromaDB failed a call; worth another try
├── MemoryInUseError             another process owns the folder
├── MemoryCorruptError           what is stored there is not ours, or cannot be read
├── MemoryMismatchError          it was written with another embedder
└── EmbedderError                the embedder that is asked for cannot be had
"""

from pathlib import Path

from telemetry.errors import SreSpaceError, TransientError


class MemoryUnavailableError(TransientError):
    """ChromaDB failed a call."""


class MemoryInUseError(SreSpaceError):
    """Another process owns the folder: two writers on one path corrupt it silently."""

    def __init__(self, path: Path, owner: str) -> None:
        super().__init__(
            f"The incident memory {path} is in use by {owner or 'another process'}. It has exactly one owner: stop the "
            "other worker, or give this one a folder of its own with SRE_SPACE_CHROMA_PATH."
        )
        self.path = path
        self.owner = owner


class MemoryCorruptError(SreSpaceError):
    """What is stored in the folder is not ours, or cannot be read."""

    def __init__(self, place: Path | str, problem: str) -> None:
        remedy = "Move the folder away" if isinstance(place, Path) else "Delete our collections there"
        super().__init__(f"The incident memory {place} cannot be used: {problem}. {remedy} to start anew.")
        self.place = place
        self.problem = problem


class MemoryMismatchError(SreSpaceError):
    """Vectors of two embedders cannot be compared, so a memory belongs to the one that wrote it."""

    def __init__(self, place: Path | str, stored: str, wanted: str) -> None:
        super().__init__(
            f"The incident memory {place} was written with the embedder {stored}, but {wanted} is configured. Set "
            "SRE_SPACE_EMBEDDER and SRE_SPACE_EMBEDDER_MODEL back to what they were, or start a new memory with "
            "SRE_SPACE_CHROMA_PATH or another CHROMA_URL."
        )
        self.place = place
        self.stored = stored
        self.wanted = wanted


class EmbedderError(SreSpaceError):
    """The embedder that is asked for cannot be had; `remedy` says what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. Remedy: {remedy}.")
        self.problem = problem
        self.remedy = remedy

"""Errors of the incident memory.

SreSpaceError                    (telemetry.errors)
├── TransientError
│   └── MemoryUnavailableError   ChromaDB failed a call; worth another try
├── MemoryInUseError             another process owns the folder
└── MemoryCorruptError           what is stored there is not ours, or cannot be read
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

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"The incident memory {path} cannot be used: {problem}. Move the folder away to start anew.")
        self.path = path
        self.problem = problem

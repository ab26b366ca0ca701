"""What Scout has learned, across restarts: written whole or not at all, read without trust."""

from telemetry.memory.file import Kept, read, write
from telemetry.memory.model import Incidents, Normal

__all__ = ["Incidents", "Kept", "Normal", "read", "write"]

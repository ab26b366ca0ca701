"""The event bus: one port, two adapters, at least once."""

from telemetry.bus.memory import MemoryBus
from telemetry.bus.port import Bus, Message
from telemetry.bus.streams import RedisStreamsBus

__all__ = ["Bus", "MemoryBus", "Message", "RedisStreamsBus"]

"""The event bus: one port, three adapters, at least once."""

from telemetry.bus.kafka import KafkaBus
from telemetry.bus.memory import MemoryBus
from telemetry.bus.port import Bus, Message
from telemetry.bus.streams import RedisStreamsBus

__all__ = ["Bus", "KafkaBus", "MemoryBus", "Message", "RedisStreamsBus"]

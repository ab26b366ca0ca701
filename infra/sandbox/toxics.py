"""Toxics and how long they last: toxiproxy's names, each with a time to live so that a killed experiment heals.

Attributes are those of toxiproxy (github.com/Shopify/toxiproxy, "Toxics"): durations in milliseconds,
`rate` in KB/s, `bytes` in bytes. `toxicity` is the share of connections that a toxic affects.
"""

import asyncio
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_TTL_S = 900.0


class ToxicType(StrEnum):
    """What a toxic does to a connection."""

    LATENCY = "latency"
    BANDWIDTH = "bandwidth"
    SLOW_CLOSE = "slow_close"
    TIMEOUT = "timeout"
    RESET_PEER = "reset_peer"
    LIMIT_DATA = "limit_data"


Stream = Literal["upstream", "downstream"]

ATTRIBUTES: dict[ToxicType, frozenset[str]] = {
    ToxicType.LATENCY: frozenset({"latency", "jitter"}),
    ToxicType.BANDWIDTH: frozenset({"rate"}),
    ToxicType.SLOW_CLOSE: frozenset({"delay"}),
    ToxicType.TIMEOUT: frozenset({"timeout"}),
    ToxicType.RESET_PEER: frozenset({"timeout"}),
    ToxicType.LIMIT_DATA: frozenset({"bytes"}),
}


class Toxic(BaseModel):
    """One fault in one direction; `upstream` is from client to server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=100)
    type: ToxicType
    stream: Stream = "downstream"
    toxicity: float = Field(default=1.0, ge=0, le=1)
    attributes: dict[str, float] = Field(default_factory=dict)
    ttl_s: float = Field(gt=0, le=MAX_TTL_S)

    @model_validator(mode="after")
    def _has_the_attributes_of_its_type(self) -> "Toxic":
        unknown = self.attributes.keys() - ATTRIBUTES[self.type]
        if unknown:
            raise ValueError(f"{self.type} has no attribute {', '.join(sorted(unknown))}")
        if any(value < 0 for value in self.attributes.values()):
            raise ValueError("attributes are not negative")
        return self

    @property
    def key(self) -> str:
        """The name, which defaults to `<type>_<stream>` as in toxiproxy."""
        return self.name or f"{self.type}_{self.stream}"

    def attribute(self, name: str) -> float:
        """Returns an attribute; one that is not given is 0."""
        return self.attributes.get(name, 0.0)


class ToxicBox:
    """The toxics of one proxy, and whether it is down; all of it ends by itself. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._toxics: dict[str, tuple[Toxic, float]] = {}
        self._down_until_s = float("-inf")
        self.changed = asyncio.Event()

    def add(self, toxic: Toxic, now_s: float) -> None:
        """Adds a toxic, or replaces the one of the same name."""
        self._toxics[toxic.key] = (toxic, now_s + toxic.ttl_s)
        self._tell()

    def remove(self, name: str, now_s: float) -> bool:
        """Removes a toxic; returns whether it was there and in force."""
        toxic, ends_s = self._toxics.pop(name, (None, now_s))
        self._tell()
        return toxic is not None and ends_s > now_s

    def take_down(self, ttl_s: float, now_s: float) -> None:
        """Refuses connections for `ttl_s`."""
        self._down_until_s = now_s + ttl_s

    def bring_up(self) -> None:
        """Accepts connections again."""
        self._down_until_s = float("-inf")

    def is_down(self, now_s: float) -> bool:
        """Returns whether connections are refused."""
        return now_s < self._down_until_s

    def clear(self) -> None:
        """Removes every toxic and brings the proxy up."""
        self._toxics.clear()
        self.bring_up()
        self._tell()

    def active(self, now_s: float, stream: Stream | None = None) -> list[Toxic]:
        """Returns the toxics in force, of one direction or of both, in the order they were added."""
        self._toxics = {name: entry for name, entry in self._toxics.items() if entry[1] > now_s}
        return [toxic for toxic, _ in self._toxics.values() if stream in (None, toxic.stream)]

    def remaining_s(self, toxic: Toxic, now_s: float) -> float:
        """Returns how long a toxic is still in force; 0 when it is gone or replaced."""
        current, ends_s = self._toxics.get(toxic.key, (None, now_s))
        return max(0.0, ends_s - now_s) if current == toxic else 0.0

    def _tell(self) -> None:
        """Wakes those who wait for a change."""
        self.changed.set()
        self.changed = asyncio.Event()

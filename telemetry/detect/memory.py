"""What detection has learned, as plain values that survive a restart.

Every part that learns has `dump()` and `load()`. A part that is added later gets a field with a default at the end of
the struct of its owner: what was written before then still loads.
"""

from array import array
from collections.abc import Iterable

import msgspec

from telemetry.detect.finding import Words
from telemetry.detect.lifecycle import LifeMemory
from telemetry.detect.windows import Window

KEPT_S = 7 * 86_400
"""What was learned longer ago is not used."""


class ShiftMemory(msgspec.Struct, array_like=True, frozen=True):
    """A `ShiftDetector` with an anomaly."""

    life: LifeMemory
    at_confirmation: Window
    worst: Window


class RatioMemory(msgspec.Struct, array_like=True, frozen=True):
    """A `RatioHistory`; `windows` are its newest ratios, oldest first, as 32-bit floats.

    `window_requests` is how many requests a window has on average, 0 in files from before it was kept.
    """

    requests: int
    bad: int
    windows: bytes
    window_requests: float = 0.0


class BaselineMemory(msgspec.Struct, array_like=True, frozen=True):
    """A `Baseline`; sketches as counts by bucket, limits in the order of `LatencyLimits`."""

    errors: RatioMemory
    slow: RatioMemory
    first_s: int | None
    older: dict[int, int]
    newer: dict[int, int]
    newer_since_s: int
    limits: tuple[float, float, float, float] | None
    limits_at: int


class SeriesMemory(msgspec.Struct, array_like=True, frozen=True):
    """What is normal for a series of an environment, as of `learned_s`."""

    service: str
    operation: str
    learned_s: int
    baseline: BaselineMemory


class SeriesAnomalies(msgspec.Struct, array_like=True, frozen=True):
    """The anomalies of a series."""

    service: str
    operation: str
    errors: ShiftMemory | None
    latency: ShiftMemory | None


class ResourceAnomaly(msgspec.Struct, array_like=True, frozen=True):
    """The anomaly of a resource of a service, told under one of the service's operations."""

    service: str
    subject: str
    operation: str
    life: LifeMemory
    words: Words | None


class BurnMemory(msgspec.Struct, array_like=True, frozen=True):
    """The counts of a `BurnCounter` for one objective; the rings are 64-bit integers in the machine's byte order."""

    service: str
    objective: str
    first: int | None
    last: int
    requests: bytes
    bad: bytes


class TrafficMemory(msgspec.Struct, array_like=True, frozen=True):
    """What a `UsualTraffic` has learned of a series: of each hour of the week the median, and the newest stretches."""

    service: str
    operation: str
    hours: dict[int, float]
    recent: list[float]
    dispersion: float


class WatchAnomaly(msgspec.Struct, array_like=True, frozen=True):
    """An anomaly of an objective, a series' traffic or a gauge; `subject` tells several of one service apart.

    `factor` is the burn-rate factor of the row that fired, 0 for other detectors.
    """

    service: str
    subject: str
    operation: str
    life: LifeMemory
    words: Words | None
    factor: float = 0.0


class SignatureMemory(msgspec.Struct, array_like=True, frozen=True):
    """A new error signature that is followed; `old` once it is no longer news."""

    hash: str
    service: str
    operation: str
    born_s: int
    life: LifeMemory | None
    words: Words
    old: bool


class AnomalyMemory(msgspec.Struct, array_like=True, frozen=True):
    """Every anomaly of an environment that is open or may flap; watched since `first_s`."""

    first_s: int | None = None
    series: list[SeriesAnomalies] = []
    resources: list[ResourceAnomaly] = []
    signatures: list[SignatureMemory] = []
    objectives: list[WatchAnomaly] = []
    traffic: list[WatchAnomaly] = []
    forecasts: list[WatchAnomaly] = []


def packed(ratios: Iterable[float]) -> bytes:
    """Return ratios as 32-bit floats in the machine's byte order."""
    return array("f", ratios).tobytes()


def unpacked(content: bytes) -> list[float]:
    """Return the ratios that `packed` made into bytes. Raises ValueError for bytes of another kind."""
    ratios = array("f")
    ratios.frombytes(content)
    return ratios.tolist()

"""What the state answers with: plain values that detection and evidence read, never change."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, TypeVar, overload

from telemetry.model import Frame, TraceSpan
from telemetry.sketch import Sketch

TICK_S = 5
"""Length of a cell in seconds; cells are aligned to Unix time."""

CalleeKind = Literal["service", "database", "queue", "external"]


@dataclass(frozen=True, slots=True)
class Taken:
    """How much of an export request was taken; `reason` says why the rest was rejected."""

    accepted: int
    rejected: int = 0
    reason: str = ""


@dataclass(slots=True)
class Cell:
    """Requests of one tick. Readers must not change it: it may be the live one."""

    start_s: int
    requests: int = 0
    errors: int = 0
    sketch: Sketch = field(default_factory=Sketch)

    def count(self, requests: int) -> None:
        """Count requests whose durations are in the buckets of the sketch already."""
        self.requests += requests
        self.sketch.count += requests


class Edge(NamedTuple):
    """Calls from one service to another node of the service graph.

    A database or queue is named `system:host:port` (as far as spans tell), an external callee `host:port`.
    The caller of a `queue → service` edge is the queue.
    """

    caller: str
    callee: str
    callee_kind: CalleeKind
    tenant: str = "default"
    environment: str = "default"


@dataclass(frozen=True, slots=True)
class PoolPoint:
    """A connection pool at one moment; None where the client does not report that metric."""

    at_s: int
    used: float | None
    idle: float | None
    pending: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class PoolSeries:
    """One connection pool of one instance of a service; points are oldest first, one a tick at most."""

    service: str
    pool_name: str
    points: tuple[PoolPoint, ...]
    instance: str = ""


@dataclass(frozen=True, slots=True)
class GaugePoint:
    """A metric's value at one moment."""

    at_s: int
    value: float


AnyPoint = TypeVar("AnyPoint", PoolPoint, GaugePoint)


class GaugePoints(Sequence[GaugePoint]):
    """Points of a gauge, oldest first, read where they are kept: copying all of them at each tick would cost most.

    Read it at once: it goes on with the gauge.
    """

    __slots__ = ("times", "values")

    def __init__(self, times: "array[int]", values: "array[float]") -> None:
        self.times = times
        self.values = values

    def __len__(self) -> int:
        """Return how many points there are."""
        return len(self.times)

    def __iter__(self) -> Iterator[GaugePoint]:
        """Iterate over copies of the points."""
        return map(GaugePoint, self.times, self.values)

    @overload
    def __getitem__(self, at: int) -> GaugePoint: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[GaugePoint, ...]: ...
    def __getitem__(self, at: int | slice) -> GaugePoint | tuple[GaugePoint, ...]:
        """Return one point, or a copy of some."""
        if isinstance(at, slice):
            return tuple(map(GaugePoint, self.times[at], self.values[at]))
        return GaugePoint(self.times[at], self.values[at])

    def before(self, end_s: int) -> "tuple[array[int], array[float]]":
        """Return the times and values of the points before `end_s`."""
        end = bisect_left(self.times, end_s)
        return self.times[:end], self.values[:end]


@dataclass(frozen=True, slots=True)
class GaugeSeries:
    """A gauge (or the rate per second of a counter) of one instance; points oldest first, one a tick at most.

    `limit` is the most recent value of the metric's limit, where one is known.
    """

    service: str
    name: str
    attributes: dict[str, str]
    unit: str
    points: Sequence[GaugePoint]
    limit: float | None = None
    instance: str = ""


@dataclass(frozen=True, slots=True)
class SignatureHits:
    """Traces in which a signature was seen during the tick that starts at `at_s`."""

    at_s: int
    n: int


@dataclass(frozen=True, slots=True)
class SignatureStats:
    """One error signature; `hash` is the same for the same failure after restarts and line changes.

    A trace counts once, however often the error was recorded in it. `trace_ids` is a sample, newest last.
    """

    hash: str
    service: str
    operation: str
    error_type: str
    message: str
    frames: tuple[Frame, ...]
    first_seen_s: int
    last_seen_s: int
    hits: tuple[SignatureHits, ...]
    trace_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExemplarTrace:
    """A trace worth showing: the spans that were kept, in order of their start."""

    trace_id: str
    why: Literal["error", "slow"]
    started: datetime
    spans: tuple[TraceSpan, ...]


def newest_before(points: Sequence[AnyPoint], end_s: int, count: int) -> Sequence[AnyPoint]:
    """Return the `count` newest points before `end_s`, oldest first."""
    end = bisect_left(points, end_s, key=lambda point: point.at_s)
    return points[max(0, end - count) : end]


def columns_before(points: Sequence[GaugePoint], end_s: int) -> tuple[Sequence[int], Sequence[float]]:
    """Return the times and the values of the points before `end_s`."""
    if isinstance(points, GaugePoints):
        return points.before(end_s)
    kept = [point for point in points if point.at_s < end_s]
    return [point.at_s for point in kept], [point.value for point in kept]

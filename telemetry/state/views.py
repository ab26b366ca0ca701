"""What the state answers with: plain values that detection and evidence read, never change."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

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


@dataclass(frozen=True, slots=True)
class GaugeSeries:
    """A gauge (or the rate per second of a counter) of one instance; points oldest first, one a tick at most.

    `limit` is the most recent value of the metric's limit, where one is known.
    """

    service: str
    name: str
    attributes: dict[str, str]
    unit: str
    points: tuple[GaugePoint, ...]
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

"""What Scout tells the rest: series keys, anomalies, evidence and SLI reports, as frozen models.

Length: this is one vocabulary, and every other package imports it from one place.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Frozen(BaseModel):
    """Base of every model that crosses a process boundary: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SeriesKey(Frozen):
    """One stream of requests: what one service does for one operation."""

    tenant: str = "default"
    environment: str = "default"
    service: str
    operation: str

    def __hash__(self) -> int:
        """Return the hash of the four names, so that keys can be looked up."""
        return hash((self.tenant, self.environment, self.service, self.operation))


class Detector(StrEnum):
    """The detectors of Scout; formulas are in `telemetry/detect`."""

    ERRORS = "D1"
    LATENCY = "D2"
    BURN_RATE = "D3"
    TRAFFIC = "D4"
    SATURATION = "D5"
    NEW_SIGNATURE = "D6"


class AnomalyState(StrEnum):
    """Suspect is shown only; confirmed opens an incident."""

    SUSPECT = "suspect"
    CONFIRMED = "confirmed"
    CLOSED = "closed"


class Severity(StrEnum):
    """How much it hurts; the order of the members is worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Anomaly(Frozen):
    """One detector's finding on one series. `reason` is one sentence with the numbers that decided."""

    id: str
    key: SeriesKey
    detector: Detector
    state: AnomalyState
    onset: AwareDatetime
    confirmed: AwareDatetime | None = None
    closed: AwareDatetime | None = None
    severity: Severity
    reason: str


class Stretch(Frozen):
    """A stretch of time, `start` inclusive and `end` exclusive."""

    start: AwareDatetime
    end: AwareDatetime


class RedSummary(Frozen):
    """Rate, errors and duration over one stretch of time. Quantiles are None without requests."""

    requests: int
    errors: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


class RedPoint(RedSummary):
    """A `RedSummary` of one tick, for series and charts."""

    at: AwareDatetime


class Frame(Frozen):
    """One stack frame of the service's own code (no library frames)."""

    path: str
    function: str
    line: int | None = None


class Item(Frozen):
    """Base of all evidence. `id` is E1, E2 … and is what claims refer to."""

    id: str


class RedEvidence(Item):
    """How one series behaved before and during the fault."""

    kind: Literal["red"] = "red"
    service: str
    operation: str
    before: RedSummary
    after: RedSummary
    series: tuple[RedPoint, ...] = ()


class EdgeEvidence(Item):
    """Calls from one service to another (or to a database or queue), seen from the caller."""

    kind: Literal["edge"] = "edge"
    caller: str
    callee: str
    before: RedSummary
    after: RedSummary


class TraceSpan(Frozen):
    """One span of an exemplar trace; `offset_ms` is from the start of the trace."""

    span_id: str
    parent_id: str | None
    service: str
    operation: str
    span_kind: str
    offset_ms: float
    duration_ms: float
    self_ms: float
    error: bool
    note: str = ""


class TraceEvidence(Item):
    """An exemplar trace, trimmed to what matters."""

    kind: Literal["trace"] = "trace"
    trace_id: str
    why: Literal["error", "slow"]
    spans: tuple[TraceSpan, ...]


class SignatureEvidence(Item):
    """An error signature: the same failure, wherever it happens again."""

    kind: Literal["signature"] = "signature"
    service: str
    operation: str
    signature: str
    error_type: str
    message: str
    frames: tuple[Frame, ...] = ()
    count: int
    count_before: int = 0
    traces: int
    first_seen: AwareDatetime
    is_new: bool


class MetricEvidence(Item):
    """A gauge that moved: medians before and during, and its limit where one is known."""

    kind: Literal["metric"] = "metric"
    service: str
    metric: str
    attributes: dict[str, str] = {}
    unit: str = ""
    before: float | None
    after: float
    limit: float | None = None
    score: float | None = None
    """Robust z-score of `after` where it was taken: distance from the median in deviations, with floors."""


class Times(Frozen):
    """Durations of one window in milliseconds: quantiles within 1 %."""

    count: int
    p50_ms: float
    p75_ms: float
    p90_ms: float


class TimeEvidence(Item):
    """Time that work took itself (`own`), or that calls took beyond the callee's span (`way`).

    For `way` the service is the callee. `windows` are the normal windows one by one: what varies between them is noise.
    """

    kind: Literal["time"] = "time"
    measure: Literal["own", "way"]
    caller: str | None = None
    service: str
    operation: str
    before: Times
    after: Times
    windows: tuple[Times, ...] = ()


class Followed(Frozen):
    """How often a step was followed by the usual one, by the other one, was the last of its span, and came in all."""

    usual: int
    instead: int
    last: int = 0
    total: int


class FlowEvidence(Item):
    """A step of an operation after which something else follows than before.

    A step is a log site, where a span begins (`^` and its operation) or ends (`$`); from `spans`, `usual` or `instead`
    is a call that a span makes, or empty when it does not; from `status` they are OK and ERROR, and ERROR counts only
    where no child span failed. `severity` and `usual_severity` are OTLP's numbers of the
    log sites `instead` and `usual`, `callee` is the service called when it is another one.
    """

    kind: Literal["flow"] = "flow"
    source: Literal["logs", "spans", "status"]
    service: str
    operation: str
    step: str
    usual: str
    instead: str
    severity: int = 0
    usual_severity: int = 0
    callee: str | None = None
    before: Followed
    after: Followed
    windows: tuple[Followed, ...] = ()


class VersionEvidence(Item):
    """A service that runs another version than before. Revisions are full commit SHAs."""

    kind: Literal["version"] = "version"
    service: str
    version_before: str | None
    version_after: str | None
    revision_before: str | None
    revision_after: str | None
    changed_at: AwareDatetime


Evidence = Annotated[
    RedEvidence
    | EdgeEvidence
    | TraceEvidence
    | SignatureEvidence
    | MetricEvidence
    | TimeEvidence
    | FlowEvidence
    | VersionEvidence,
    Field(discriminator="kind"),
]


class EvidenceBundle(Frozen):
    """Everything that goes with an incident, each item with its id; at most 256 KiB as JSON.

    `dropped` counts the items that did not fit.

    All text in it comes from telemetry and is untrusted: it was scrubbed of secrets and stripped of control
    characters at ingest, and must still be escaped wherever it is shown.
    """

    tenant: str = "default"
    environment: str = "default"
    normal: Stretch
    fault: Stretch
    items: tuple[Evidence, ...] = ()
    dropped: int = 0


class Signal(Frozen):
    """One incident as Scout sees it: grouped anomalies with evidence. The message on the topic `signals`.

    `group_id` stays the same for later signals of the same incident, `sequence` counts them from 1. `more_anomalies`
    counts those that are not in `anomalies` because there are too many.
    """

    group_id: str
    sequence: int
    tenant: str = "default"
    environment: str = "default"
    root_service: str
    root_operation: str
    severity: Severity
    onset: AwareDatetime
    detected: AwareDatetime
    anomalies: tuple[Anomaly, ...]
    more_anomalies: int = 0
    evidence: EvidenceBundle


class Health(StrEnum):
    """Verdict on one window. No data is a value of its own, never healthy."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NO_DATA = "no_data"


class SliWindow(RedSummary):
    """One window of an SLI with its verdict by the detectors' own rule for a bad window."""

    start: AwareDatetime
    end: AwareDatetime
    health: Health


class SliReport(Frozen):
    """Answer to: how has this series been since then, on this revision? Windows are oldest first."""

    key: SeriesKey
    revision: str | None = None
    baseline_error_ratio: float
    baseline_p99_ms: float | None = None
    windows: tuple[SliWindow, ...]
    saturated: bool = False


class RevisionSeen(Frozen):
    """A version of a service that telemetry has shown."""

    service: str
    version: str | None
    revision: str | None
    first_seen: AwareDatetime
    last_seen: AwareDatetime


class GroupStatus(Frozen):
    """Where a group of anomalies stands now in Scout. `open` is False once every anomaly of it has closed."""

    group_id: str
    open: bool
    anomalies: tuple[Anomaly, ...]


class ScoutStatus(Frozen):
    """Scout's own health; counters count from its start.

    `spans_per_s` is over the last minute. `series` are those with requests within the retention, `baselines` those of
    which is known what is normal, silent ones included.
    """

    started: AwareDatetime
    spans_total: int
    spans_per_s: float = 0.0
    points_total: int
    logs_total: int = 0
    dropped_total: dict[str, int]
    series: int
    baselines: int = 0
    suspects: tuple[Anomaly, ...]
    watermark: AwareDatetime | None
    services: dict[str, RedSummary] = {}
    edges: tuple[tuple[str, str], ...] = ()


def utc(ns: int) -> datetime:
    """Return Unix nanoseconds as an aware UTC datetime, truncated to microseconds."""
    return _EPOCH + timedelta(microseconds=ns // 1000)

"""Builders of evidence, signals and incidents with sensible defaults; `scenarios` puts them together."""

from datetime import UTC, datetime, timedelta

from agents.incident import Clock, Incident, Stage
from agents.signature import incident_signature
from agents.testing.github import REPO
from telemetry.model import (
    Anomaly,
    AnomalyState,
    Detector,
    EdgeEvidence,
    Evidence,
    EvidenceBundle,
    Frame,
    MetricEvidence,
    RedEvidence,
    RedSummary,
    SeriesKey,
    Severity,
    Signal,
    SignatureEvidence,
    Stretch,
    TraceEvidence,
    TraceSpan,
    VersionEvidence,
)

ONSET = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NORMAL_S = 300
FAULT_S = 40
GOOD_REVISION = "1f0c9d3b7a52e4861c0d9f8e7b6a5c4d3e2f1a0b"
BAD_REVISION = "8ab64c1e5f7d20b93a48e6c7d1f02b5a9c3e4d7f"


def summary(requests: int, errors: int = 0, p95_ms: float | None = None, p50_ms: float | None = None) -> RedSummary:
    """Return a RED summary; p50 is 80 % of p95 unless told, p99 110 %."""
    if p95_ms is None:
        return RedSummary(requests=requests, errors=errors)
    return RedSummary(
        requests=requests,
        errors=errors,
        p50_ms=p95_ms * 0.8 if p50_ms is None else p50_ms,
        p95_ms=p95_ms,
        p99_ms=p95_ms * 1.1,
    )


def red(service: str, operation: str, before: RedSummary, after: RedSummary) -> RedEvidence:
    """Return how one series behaved."""
    return RedEvidence(id="E0", service=service, operation=operation, before=before, after=after)


def edge(caller: str, callee: str, before: RedSummary, after: RedSummary) -> EdgeEvidence:
    """Return how calls between two services behaved."""
    return EdgeEvidence(id="E0", caller=caller, callee=callee, before=before, after=after)


def metric(
    service: str,
    name: str,
    before: float | None,
    after: float,
    *,
    limit: float | None = None,
    attributes: dict[str, str] | None = None,
) -> MetricEvidence:
    """Return a gauge that moved."""
    return MetricEvidence(
        id="E0", service=service, metric=name, attributes=attributes or {}, before=before, after=after, limit=limit
    )


def error_signature(
    service: str,
    operation: str,
    error_type: str,
    message: str,
    frames: tuple[tuple[str, str], ...] = (),
    *,
    count: int = 40,
    count_before: int = 0,
    is_new: bool | None = None,
) -> SignatureEvidence:
    """Return an error signature. `frames` are path and function, innermost first."""
    code = f"{service}|{error_type}|{frames}" if frames else f"{service}|{error_type}|{message}"
    return SignatureEvidence(
        id="E0",
        service=service,
        operation=operation,
        signature=f"{abs(sum(ord(c) * 31**i for i, c in enumerate(code))) % 16**16:016x}",
        error_type=error_type,
        message=message,
        frames=tuple(Frame(path=path, function=function, line=40 + i) for i, (path, function) in enumerate(frames)),
        count=count,
        count_before=count_before,
        traces=min(count, 20),
        first_seen=ONSET + timedelta(seconds=1),
        is_new=count_before == 0 if is_new is None else is_new,
    )


def version(
    service: str, before: str | None, after: str | None, *, changed_at: datetime | None = None
) -> VersionEvidence:
    """Return a deploy of `service` shortly before the onset, from revision `before` to revision `after`."""
    return VersionEvidence(
        id="E0",
        service=service,
        version_before=before[:7] if before else None,
        version_after=after[:7] if after else None,
        revision_before=before,
        revision_after=after,
        changed_at=changed_at or ONSET - timedelta(seconds=3),
    )


def span(
    number: int,
    parent: int | None,
    service: str,
    operation: str,
    span_kind: str,
    duration_ms: float,
    self_ms: float,
    error: str | None = None,
) -> TraceSpan:
    """Return one span; `number` and `parent` make its ids; `error` is its note when it failed."""
    return TraceSpan(
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        service=service,
        operation=operation,
        span_kind=span_kind,
        offset_ms=float(number),
        duration_ms=duration_ms,
        self_ms=self_ms,
        error=error is not None,
        note=error or "",
    )


def trace(why: str, *spans: TraceSpan) -> TraceEvidence:
    """Return an exemplar trace, `error` or `slow`."""
    return TraceEvidence(id="E0", trace_id=f"{len(spans):032x}", why="error" if why == "error" else "slow", spans=spans)


def bundle(*items: Evidence, onset: datetime = ONSET, tenant: str = "default") -> EvidenceBundle:
    """Return the items as a bundle, numbered E1, E2 … in order."""
    return EvidenceBundle(
        tenant=tenant,
        normal=Stretch(start=onset - timedelta(seconds=NORMAL_S), end=onset),
        fault=Stretch(start=onset, end=onset + timedelta(seconds=FAULT_S)),
        items=tuple(item.model_copy(update={"id": f"E{number}"}) for number, item in enumerate(items, 1)),
    )


def anomaly(service: str, operation: str, detector: Detector, reason: str, *, onset: datetime = ONSET) -> Anomaly:
    """Return a confirmed anomaly."""
    return Anomaly(
        id=f"{service}:{operation}:{detector}",
        key=SeriesKey(service=service, operation=operation),
        detector=detector,
        state=AnomalyState.CONFIRMED,
        onset=onset,
        confirmed=onset + timedelta(seconds=15),
        severity=Severity.HIGH,
        reason=reason,
    )


def signal(evidence: EvidenceBundle, *anomalies: Anomaly, root: tuple[str, str] | None = None) -> Signal:
    """Return a signal; its root is that of the first anomaly unless told."""
    service, operation = root or (anomalies[0].key.service, anomalies[0].key.operation)
    onset = min(found.onset for found in anomalies)
    return Signal(
        group_id="g1",
        sequence=1,
        tenant=evidence.tenant,
        environment=evidence.environment,
        root_service=service,
        root_operation=operation,
        severity=Severity.HIGH,
        onset=onset,
        detected=onset + timedelta(seconds=15),
        anomalies=anomalies,
        evidence=evidence,
    )


def incident(seen: Signal | None, stage: Stage = Stage.ORIENTING, **changes: object) -> Incident:
    """Return an incident with issue #7 in acme/shop that has just come to `stage`."""
    clock = Clock(onset=seen.onset, detected=seen.detected) if seen else Clock(onset=ONSET, detected=ONSET)
    made = Incident(
        id="inc-1",
        tenant=seen.tenant if seen else "default",
        repo=REPO,
        issue=7,
        issue_url="https://github.example/acme/shop/issues/7",
        title=f"{seen.root_service}: {seen.root_operation} is unhealthy" if seen else "Something is wrong",
        stage=stage,
        severity=Severity.HIGH,
        signature=incident_signature(seen) if seen else "",
        service=seen.root_service if seen else None,
        signal=seen,
        clock=clock,
    )
    return made.evolve(**changes)

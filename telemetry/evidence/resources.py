"""Metric evidence: connection pools near the fault, and gauges that moved."""

from collections.abc import Iterable, Sequence
from statistics import median

from telemetry.evidence.scope import NEAR, Scope
from telemetry.model import MetricEvidence
from telemetry.state import GaugePoint, GaugeSeries, PoolPoint, PoolSeries, TelemetryState

_DRAFT = "E0"
_MAD_TO_SIGMA = 0.6745
_MOVED_SCORE = 6.0
_MAD_FLOOR_RATIO = 0.05
_MAD_FLOOR = 1e-9
_NEAR_LIMIT = 0.9
_POOL_PREFIXES = ("db.client.connection", "hikaricp.connections")


def pools(state: TelemetryState, scope: Scope) -> list[MetricEvidence]:
    """Return used connections (with the pool's maximum as limit) and waiting requests of every pool near."""
    found: dict[tuple[str, str], list[PoolSeries]] = {}
    for pool in state.pools(scope.tenant, scope.environment):
        if pool.service in scope.near:
            found.setdefault((pool.service, pool.pool_name), []).append(pool)
    ordered = sorted(found, key=lambda name: (scope.closeness(name[0]), name))
    return [item for name in ordered for item in _pool_items(name, found[name], scope)]


def _pool_items(name: tuple[str, str], instances: Sequence[PoolSeries], scope: Scope) -> list[MetricEvidence]:
    service, pool = name
    label = {"db.client.connection.pool.name": pool}
    during = [p for i in instances for p in i.points if scope.fault_s[0] <= p.at_s < scope.fault_s[1]]
    limits = [p.maximum for p in during if p.maximum is not None]
    used_before, used = _worst_median(instances, scope, "used")
    waiting_before, waiting = _worst_median(instances, scope, "pending")
    items: list[MetricEvidence] = []
    if used is not None:
        items.append(
            MetricEvidence(
                id=_DRAFT,
                service=service,
                metric="db.client.connection.count",
                attributes={**label, "db.client.connection.state": "used"},
                unit="{connection}",
                before=used_before,
                after=used,
                limit=limits[-1] if limits else None,
            )
        )
    if waiting:
        items.append(
            MetricEvidence(
                id=_DRAFT,
                service=service,
                metric="db.client.connection.pending_requests",
                attributes=label,
                unit="{request}",
                before=waiting_before,
                after=waiting,
            )
        )
    return items


def _worst_median(instances: Iterable[PoolSeries], scope: Scope, field: str) -> tuple[float | None, float | None]:
    """Return the medians before and during of the instance with the highest one."""
    before: list[float] = []
    during: list[float] = []
    for instance in instances:
        before += _median_of(instance.points, scope.normal_s, field)
        during += _median_of(instance.points, scope.fault_s, field)
    return max(before, default=None), max(during, default=None)


def _median_of(points: Iterable[PoolPoint], span_s: tuple[int, int], field: str) -> list[float]:
    inside = [point for point in points if span_s[0] <= point.at_s < span_s[1]]
    values = [value for point in inside if (value := _field(point, field)) is not None]
    return [median(values)] if values else []


def _field(point: PoolPoint, field: str) -> float | None:
    return point.used if field == "used" else point.pending


def gauges(state: TelemetryState, scope: Scope) -> list[MetricEvidence]:
    """Return the gauges near the fault that moved, by closeness and by how far they moved."""
    scored: list[tuple[int, float, str, MetricEvidence]] = []
    for service in sorted(scope.near):
        for series in state.gauges(scope.tenant, scope.environment, service):
            if series.name.startswith(_POOL_PREFIXES):
                continue
            item, score = _gauge_item(series, scope)
            if item is not None:
                name = f"{series.name}{sorted(series.attributes.items())}{series.instance}"
                scored.append((min(scope.closeness(service), NEAR), -score, name, item))
    return [item for _, _, _, item in sorted(scored, key=lambda entry: entry[:3])]


def _gauge_item(series: GaugeSeries, scope: Scope) -> tuple[MetricEvidence | None, float]:
    before = _values(series.points, scope.normal_s)
    during = _values(series.points, scope.fault_s)
    if not during:
        return None, 0.0
    after = median(during)
    near_limit = series.limit is not None and series.limit > 0 and after >= _NEAR_LIMIT * series.limit
    score = moved_score(before, after)
    if score < _MOVED_SCORE and not near_limit:
        return None, score
    item = MetricEvidence(
        id=_DRAFT,
        service=series.service,
        metric=series.name,
        attributes=series.attributes,
        unit=series.unit,
        before=median(before) if before else None,
        after=after,
        limit=series.limit,
    )
    return item, score


def _values(points: Iterable[GaugePoint], span_s: tuple[int, int]) -> list[float]:
    return [point.value for point in points if span_s[0] <= point.at_s < span_s[1]]


def moved_score(before: Sequence[float], after: float) -> float:
    """Return |0.6745·(after − median)/MAD|, with a floor on the MAD of 5 % of the median; 0 without a before.

    Modified z-score of Iglewicz & Hoaglin, "How to Detect and Handle Outliers" (1993).
    """
    if not before:
        return 0.0
    middle = median(before)
    deviation = median(abs(value - middle) for value in before)
    return abs(_MAD_TO_SIGMA * (after - middle) / max(deviation, _MAD_FLOOR_RATIO * abs(middle), _MAD_FLOOR))

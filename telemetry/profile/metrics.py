"""Metric evidence: gauges of the fault that left what they were in normal time."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from telemetry.model import MetricEvidence
from telemetry.profile.rows import PointRow

MAX_METRICS = 80
_MIN_SCORE = 2.0
_MAD_TO_SIGMA = 1.4826
_FLOOR_SHARE = 0.1
_FLOOR_RATIO = 0.02
"""Of a utilization: two points of a hundred are nothing, however constant it was."""
_FLOOR = 1e-9
_DRAFT = "E0"

_Key = tuple[str, str, str, str, tuple[tuple[str, str], ...]]
"""Service, pod, metric, unit and attributes."""


def moved(normal: Iterable[PointRow], fault: Iterable[PointRow]) -> list[MetricEvidence]:
    """Return the gauges that moved by a robust score of 2 or more, those that moved most first.

    `after` is the point of the fault furthest from the median of normal time: a fault may begin late in its stretch.
    """
    before, during = _series(normal), _series(fault)
    items = [_item(key, before[key], values) for key, values in during.items() if key in before]
    kept = [item for item in items if abs(item.score or 0.0) >= _MIN_SCORE]
    return sorted(kept, key=_order)[:MAX_METRICS]


def _order(item: MetricEvidence) -> tuple[float, str, float, float, str, str]:
    """Return a sort key; names of services and pods decide only between gauges that read the same."""
    before = item.before or 0.0
    return (-abs(item.score or 0.0), item.metric, -abs(item.after - before), before, item.service, str(item.attributes))


def _series(points: Iterable[PointRow]) -> dict[_Key, list[float]]:
    found: defaultdict[_Key, list[float]] = defaultdict(list)
    for point in points:
        found[*point[:4], point.attributes].append(point.value)
    return found


def _item(key: _Key, before: Sequence[float], during: Sequence[float]) -> MetricEvidence:
    service, pod, metric, unit, attributes = key
    middle = median(before)
    furthest = max(during, key=lambda value: (abs(value - middle), value))
    return MetricEvidence(
        id=_DRAFT,
        service=service,
        metric=metric,
        attributes={**dict(attributes), **({"k8s.pod.name": pod} if pod else {})},
        unit=unit,
        before=round(middle, 6),
        after=round(furthest, 6),
        score=round((furthest - middle) / _spread(before, middle, metric), 2),
    )


def _spread(values: Sequence[float], middle: float, metric: str) -> float:
    """Return the MAD as a standard deviation, or what stands in for it where a series is (nearly) constant."""
    deviation = _MAD_TO_SIGMA * median(abs(value - middle) for value in values)
    floor = _FLOOR_RATIO if "utilization" in metric else _FLOOR
    return max(deviation, _FLOOR_SHARE * abs(middle), floor)

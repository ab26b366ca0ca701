"""Database connection pools, put together from gauges under their stable and older names."""

from collections.abc import Iterable
from typing import NamedTuple

from telemetry.state.attributes import first
from telemetry.state.views import GaugeSeries, PoolPoint, PoolSeries, newest_before

_USAGE = frozenset({"db.client.connection.count", "db.client.connections.usage"})
_FIELDS = {
    "db.client.connection.max": "maximum",
    "db.client.connections.max": "maximum",
    "db.client.connection.pending_requests": "pending",
    "db.client.connections.pending_requests": "pending",
    "hikaricp.connections.active": "used",
    "hikaricp.connections.idle": "idle",
    "hikaricp.connections.pending": "pending",
    "hikaricp.connections.max": "maximum",
}

NAMES = _USAGE | _FIELDS.keys()
"""Names of the gauges that `pools_of` looks at."""


class Newest(NamedTuple):
    """Only so many of the newest points before `end_s`."""

    end_s: int
    points: int


def _field_of(gauge: GaugeSeries) -> str | None:
    if gauge.name in _USAGE:
        state = first(gauge.attributes, "db.client.connection.state", "state")
        return state if state in ("used", "idle") else None
    return _FIELDS.get(gauge.name)


def pools_of(gauges: Iterable[GaugeSeries], newest: Newest | None = None) -> list[PoolSeries]:
    """Return the pools that gauges describe; a value not reported in a tick is carried on from the one before.

    With `newest` only these points: of each gauge one more is looked at, which is the one to carry on.
    """
    changes: dict[tuple[str, str, str], dict[int, dict[str, float]]] = {}
    for gauge in gauges:
        field = _field_of(gauge)
        if field is not None:
            name = first(gauge.attributes, "db.client.connection.pool.name", "pool.name", "pool")
            by_tick = changes.setdefault((gauge.service, gauge.instance, name), {})
            points = newest_before(gauge.points, newest.end_s, newest.points + 1) if newest else gauge.points
            for point in points:
                by_tick.setdefault(point.at_s, {})[field] = point.value
    kept = slice(-newest.points, None) if newest else slice(None)
    return [
        PoolSeries(service, name, _points(by_tick)[kept], instance)
        for (service, instance, name), by_tick in changes.items()
    ]


def _points(by_tick: dict[int, dict[str, float]]) -> tuple[PoolPoint, ...]:
    current: dict[str, float] = {}
    points: list[PoolPoint] = []
    for at_s in sorted(by_tick):
        current |= by_tick[at_s]
        points.append(
            PoolPoint(
                at_s,
                used=current.get("used"),
                idle=current.get("idle"),
                pending=current.get("pending"),
                maximum=current.get("maximum"),
            )
        )
    return tuple(points)

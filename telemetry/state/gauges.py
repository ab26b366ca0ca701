"""Gauges in event time, one point a tick; counters become rates per second."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from telemetry.state.drops import Drops
from telemetry.state.limits import Limits
from telemetry.state.views import TICK_S, GaugePoints, GaugeSeries

Where = tuple[str, str, str, str]
"""Tenant, environment, service and instance."""
Attributes = tuple[tuple[str, str], ...]
Wanted = Callable[[str], bool]
"""Whether a gauge of that name is asked for."""

_LIMITS = {
    "process.memory.usage": ("process.memory.limit", "container.memory.limit"),
    "container.memory.usage": ("container.memory.limit", "k8s.container.memory.limit"),
    "container.memory.working_set": ("container.memory.limit", "k8s.container.memory.limit"),
    "k8s.pod.memory.usage": ("k8s.pod.memory.limit",),
    "jvm.memory.used": ("jvm.memory.limit",),
    "db.client.connection.count": ("db.client.connection.max",),
    "db.client.connections.usage": ("db.client.connections.max",),
    "hikaricp.connections.active": ("hikaricp.connections.max",),
    "process.open_file_descriptor.count": ("process.open_file_descriptor.limit",),
    "v8js.memory.heap.used": ("v8js.memory.heap.limit",),
    "otelcol_exporter_queue_size": ("otelcol_exporter_queue_capacity",),
}
"""Metrics whose limit is another metric of the same resource."""
_RATIOS = (".utilization", "_utilization")


@dataclass(slots=True)
class _Series:
    unit: str
    times: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    total: tuple[int, float] | None = None
    """Time (ns) and value of the last point of a cumulative counter, or the running sum of deltas."""


class Gauges:
    """Gauges of all tenants; points older than the retention go as new ones come."""

    def __init__(self, limits: Limits, drops: Drops) -> None:
        self._limits = limits
        self._drops = drops
        self._series: dict[Where, dict[tuple[str, Attributes], _Series]] = {}
        self._count = 0
        self._counts: Counter[tuple[str, str, str]] = Counter()
        """By tenant, environment and service."""

    def set(self, where: Where, name: str, attributes: Attributes, unit: str, at_ns: int, value: float) -> None:
        """Take the value of a gauge; a later value in the same tick replaces it, an older one is dropped."""
        series = self._of(where, name, attributes, unit)
        if series is None:
            return
        tick_s = at_ns // 1_000_000_000 // TICK_S * TICK_S
        if series.times and tick_s < series.times[-1]:
            self._drops.count("points_late")
        elif series.times and tick_s == series.times[-1]:
            series.values[-1] = value
        else:
            series.times.append(tick_s)
            series.values.append(value)
            if series.times[0] < tick_s - 2 * self._limits.retention_s:
                self._trim(series, tick_s - self._limits.retention_s)

    def change(self, where: Where, name: str, attributes: Attributes, unit: str, at_ns: int, value: float) -> None:
        """Take a delta of an up-down counter: its running sum is the gauge."""
        series = self._of(where, name, attributes, unit)
        if series is not None:
            total = value + (series.total[1] if series.total else 0.0)
            series.total = (at_ns, total)
            self.set(where, name, attributes, unit, at_ns, total)

    def count(self, where: Where, name: str, attributes: Attributes, unit: str, at_ns: int, value: float) -> None:
        """Take the total of a cumulative counter: the gauge is its rate; a total that fell is a restart."""
        series = self._of(where, name, attributes, f"{unit}/s")
        if series is None:
            return
        before, series.total = series.total, (at_ns, value)
        if before is not None and at_ns > before[0]:
            grown = value - before[1] if value >= before[1] else value
            self.set(where, name, attributes, series.unit, at_ns, grown * 1e9 / (at_ns - before[0]))

    def _of(self, where: Where, name: str, attributes: Attributes, unit: str) -> _Series | None:
        of_instance = self._series.get(where, {})
        series = of_instance.get((name, attributes))
        if series is None:
            service, limits = where[:3], self._limits
            # A service whose attributes have ever new values must not leave the others without gauges.
            if self._counts[service] >= limits.max_gauges_per_service or self._count >= limits.max_gauges:
                self._drops.count("gauges")
                return None
            series = self._series.setdefault(where, of_instance)[(name, attributes)] = _Series(unit)
            self._count += 1
            self._counts[service] += 1
        return series

    @staticmethod
    def _trim(series: _Series, start_s: int) -> None:
        old = bisect_left(series.times, start_s)
        del series.times[:old], series.values[:old]

    def forget_before(self, start_s: int) -> None:
        """Drop gauges without newer points."""
        for where, of_instance in list(self._series.items()):
            for key, series in list(of_instance.items()):
                self._trim(series, start_s)
                if not series.times and (series.total is None or series.total[0] < start_s * 1_000_000_000):
                    del of_instance[key]
                    self._count -= 1
                    self._counts[where[:3]] -= 1
            if not of_instance:
                del self._series[where]
        self._counts = +self._counts

    def of_service(
        self, tenant: str, environment: str, service: str | None = None, wanted: Wanted | None = None
    ) -> Iterable[GaugeSeries]:
        """Yield the gauges of a service (of all when None), of the names that are wanted, each with its known limit."""
        for where, of_instance in self._series.items():
            if where[:2] == (tenant, environment) and service in (None, where[2]):
                for (name, attributes), series in of_instance.items():
                    if series.times and (wanted is None or wanted(name)):
                        yield GaugeSeries(
                            service=where[2],
                            name=name,
                            attributes=dict(attributes),
                            unit=series.unit,
                            points=GaugePoints(series.times, series.values),
                            limit=_limit_of(name, attributes, of_instance),
                            instance=where[3],
                        )


def _limit_of(name: str, attributes: Attributes, of_instance: dict[tuple[str, Attributes], _Series]) -> float | None:
    """Return the newest value of the metric that limits `name`, with the attributes that both have in common."""
    mine = dict(attributes)
    for candidate in _LIMITS.get(name, ()):
        for (other, theirs), series in of_instance.items():
            if other == candidate and series.values and all(mine.get(key) == value for key, value in theirs):
                return series.values[-1]
    return 1.0 if name.endswith(_RATIOS) else None

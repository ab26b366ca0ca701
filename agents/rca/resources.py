"""Limits that are reached: connection pools, memory, CPU."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents.diagnosis import CauseKind
from agents.rca import words
from agents.rca.finding import Finding, finding
from agents.rca.view import View
from telemetry.model import EvidenceBundle, MetricEvidence, RedEvidence, RedSummary

# Semantic conventions of OpenTelemetry (db.client.connection*), their older plural form, and HikariCP's meters.
_POOL = re.compile(r"^db\.client\.connections?\.|^hikaricp\.connections", re.IGNORECASE)
_PENDING = re.compile(r"pending|waiting|waiters", re.IGNORECASE)
_MAXIMUM = re.compile(r"\.max$|maximum|\.limit$", re.IGNORECASE)
_USED = re.compile(r"used|usage|active|count$|in_use|checkedout", re.IGNORECASE)
_MEMORY = re.compile(r"memory", re.IGNORECASE)
_CPU = re.compile(r"cpu.*(utili[sz]ation|usage)", re.IGNORECASE)

MIN_REQUESTS = 20
"""A tick with fewer requests says little about which part of them is served."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The connection pool of a service during the fault; None where it is not known."""

    used: MetricEvidence | None
    pending: MetricEvidence | None
    limit: float | None


def pools(metrics: list[MetricEvidence]) -> list[Pool]:
    """Return the pools that the metrics of one service describe, fullest first."""
    by_name: dict[str, list[MetricEvidence]] = {}
    for item in metrics:
        if _POOL.search(item.metric):
            name = next((value for key, value in sorted(item.attributes.items()) if "name" in key), "")
            by_name.setdefault(name, []).append(item)
    found = [_pool(items) for items in by_name.values()]
    return sorted(found, key=lambda pool: -_in_demand(pool))


def _pool(items: list[MetricEvidence]) -> Pool:
    maximum = [item.after for item in items if _MAXIMUM.search(item.metric)]
    pending = [item for item in items if _PENDING.search(item.metric)]
    used = [
        item
        for item in items
        if item not in pending
        and not _MAXIMUM.search(item.metric)
        and _USED.search(item.metric)
        and item.attributes.get("db.client.connection.state", item.attributes.get("state", "used")) == "used"
    ]
    limits = [item.limit for item in used if item.limit is not None] or maximum
    return Pool(
        used=max(used, key=lambda item: item.after, default=None),
        pending=max(pending, key=lambda item: item.after, default=None),
        limit=max(limits, default=None),
    )


def pool_of(bundle: EvidenceBundle, service: str) -> Pool | None:
    """Return the pool of `service` that is most in demand, if its metrics are in the bundle."""
    metrics = [item for item in bundle.items if isinstance(item, MetricEvidence) and item.service == service]
    return next(iter(pools(metrics)), None)


def _in_demand(pool: Pool) -> float:
    """Return how many connections were in use or waited for."""
    return (pool.used.after if pool.used else 0.0) + (max(0.0, pool.pending.after) if pool.pending else 0.0)


def demand(bundle: EvidenceBundle, service: str) -> tuple[float, str] | None:
    """Return how many connections `service` would use if every request got one, and how that follows; or None.

    By Little's law (L = lambda * W) the connections in use are in proportion to the requests that are served: if `used`
    serve a part of them, all need `used * requests / served`. The worst tick counts. What waits is an upper bound: the
    queue is there only because the pool is too small, and it is all that is known when nothing is served.
    """
    pool = pool_of(bundle, service)
    if pool is None or pool.used is None:
        return None
    waiting = words.number(max(0.0, pool.pending.after) if pool.pending else 0.0)
    used = words.number(pool.used.after)
    bound, reason = _in_demand(pool), f"{used} connections were in use and {waiting} requests waited for one"
    worst = _worst_tick(bundle, service)
    if worst is None:
        return bound, reason
    served = worst.requests - worst.errors
    needed = pool.used.after * worst.requests / served
    if pool.pending is not None and bound < needed:
        return bound, reason
    return needed, (
        f"at worst {used} connections served {served} of {worst.requests} requests, so that all would need "
        f"{words.number(round(needed, 1))}"
    )


def _worst_tick(bundle: EvidenceBundle, service: str) -> RedSummary | None:
    """Return the tick of the fault (else the whole of it) in which the smallest part of the requests was served."""
    reds = [item for item in bundle.items if isinstance(item, RedEvidence) and item.service == service]
    ticks = [point for item in reds for point in item.series if point.at >= bundle.fault.start]
    telling: list[RedSummary] = [p for p in ticks if p.requests >= MIN_REQUESTS and p.errors < p.requests]
    found = telling or [item.after for item in reds if item.after.errors < item.after.requests]
    return max(found, key=lambda point: point.requests / (point.requests - point.errors), default=None)


def find_full_pools(view: View) -> Iterator[Finding]:
    """Yield pools that are used up or waited for, and were not before."""
    p = view.parameters
    kind = CauseKind.DB_POOL_EXHAUSTION
    for service, metrics in view.metrics.items():
        for pool in pools(metrics)[:1]:
            used, pending = pool.used, pool.pending
            if used is not None and pool.limit and _newly_full(used, pool.limit, p.saturation_ratio):
                was = "" if used.before is None else f", {words.number(used.before)} before"
                text = (
                    f"the pool of {service} uses {words.number(used.after)} of "
                    f"{words.number(pool.limit)} connections{was}"
                )
                yield finding(service, None, kind, p.w_pool_used, text, used.id)
            if pending is not None and pending.after > 0 and pending.after > 2 * (pending.before or 0.0):
                text = f"{words.number(pending.after)} requests of {service} wait for a connection"
                yield finding(service, None, kind, p.w_pool_pending, text, pending.id)


def find_full_machines(view: View) -> Iterator[Finding]:
    """Yield services whose memory or CPU is at its limit, and was not before."""
    p = view.parameters
    for service, metrics in view.metrics.items():
        for item in metrics:
            # A utilization is a ratio and has its limit by definition.
            limit = item.limit or (1.0 if "utili" in item.metric.lower() else None)
            if limit is None or _POOL.search(item.metric) or not _newly_full(item, limit, p.saturation_ratio):
                continue
            text = (
                f"{item.metric} of {service} is at {words.percent(item.after / limit)} of its limit"
                f"{'' if item.before is None else f', {words.percent(item.before / limit)} before'}"
            )
            if _MEMORY.search(item.metric):
                yield finding(service, None, CauseKind.MEMORY_SATURATION, p.w_resource, text, item.id)
            elif _CPU.search(item.metric):
                yield finding(service, None, CauseKind.CPU_CONTENTION, p.w_resource, text, item.id)


def _newly_full(item: MetricEvidence, limit: float, ratio: float) -> bool:
    return item.after >= ratio * limit and (item.before is None or item.before < ratio * limit)

"""Time evidence: own time of work and time on the way of calls, before and during the fault."""

from collections.abc import Sequence
from typing import Literal

from telemetry.model import TimeEvidence, Times
from telemetry.profile.window import Profile
from telemetry.sketch import Sketch

MIN_COUNT = 3
"""Fewer spans say nothing about a time."""
MAX_OWN = 120
MAX_WAYS = 160
_DRAFT = "E0"


def ways(normal: Sequence[Profile], before: Profile, fault: Profile) -> list[TimeEvidence]:
    """Return every call that happens in both, those that slowed most first; `before` is all of `normal`."""
    items = [
        _item("way", way[0], way[1], way[2], [p.way[way] for p in normal if way in p.way], before.way[way], during)
        for way, during in fault.way.items()
        if way in before.way and min(before.way[way].count, during.count) >= MIN_COUNT
    ]
    return sorted(items, key=_rise)[:MAX_WAYS]


def own(normal: Sequence[Profile], before: Profile, fault: Profile) -> list[TimeEvidence]:
    """Return the work whose own time grew, that which grew most first."""
    items = [
        _item("own", None, *work, [p.own[work] for p in normal if work in p.own], before.own[work], during)
        for work, during in fault.own.items()
        if work in before.own and min(before.own[work].count, during.count) >= MIN_COUNT
    ]
    grown = [item for item in items if item.after.p50_ms > item.before.p50_ms or item.after.p75_ms > item.before.p75_ms]
    return sorted(grown, key=_rise)[:MAX_OWN]


def _item(
    measure: Literal["own", "way"],
    caller: str | None,
    service: str,
    operation: str,
    windows: Sequence[Sketch],
    before: Sketch,
    after: Sketch,
) -> TimeEvidence:
    return TimeEvidence(
        id=_DRAFT,
        measure=measure,
        caller=caller,
        service=service,
        operation=operation,
        before=_times(before),
        after=_times(after),
        windows=tuple(_times(sketch) for sketch in windows if sketch.count >= MIN_COUNT),
    )


def _times(sketch: Sketch) -> Times:
    return Times(
        count=sketch.count,
        p50_ms=round(sketch.quantile(0.5) or 0.0, 3),
        p75_ms=round(sketch.quantile(0.75) or 0.0, 3),
        p90_ms=round(sketch.quantile(0.9) or 0.0, 3),
    )


def _rise(item: TimeEvidence) -> tuple[float, float, str, str, str]:
    rise_ms = max(item.after.p50_ms - item.before.p50_ms, (item.after.p75_ms - item.before.p75_ms) / 2)
    return (-rise_ms, -item.after.count, item.operation, item.service, item.caller or "")

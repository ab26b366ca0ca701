"""Times: the way to a service that became slow, and work that takes longer by itself."""

from collections import defaultdict
from collections.abc import Iterator

from agents.diagnosis import CauseKind
from agents.rca import words
from agents.rca.finding import Finding, effect
from agents.rca.parameters import Parameters
from agents.rca.view import View
from telemetry.model import TimeEvidence


def time_rise_ms(item: TimeEvidence, p: Parameters) -> float:
    """Return by how many milliseconds a time rose; 0 if that is no change.

    The median counts, and half of what the third quartile rose: a fault may hit every other call only. Normal windows
    that were as slow by themselves count against it, by their share of the calls.
    """
    rises = [
        (after - before) * share
        for after, before, share in (
            (item.after.p50_ms, item.before.p50_ms, 1.0),
            (item.after.p75_ms, item.before.p75_ms, 0.5),
        )
        if after >= p.time_factor * before
    ]
    rise_ms = max(rises, default=0.0)
    if rise_ms < p.time_floor_ms:
        return 0.0
    level_ms = item.before.p50_ms + rise_ms / 2
    calls = sum(window.count for window in item.windows)
    calm = sum(window.count for window in item.windows if window.p50_ms < level_ms)
    return rise_ms * calm / calls if calls else rise_ms


def time_strength(item: TimeEvidence, p: Parameters) -> float:
    """Return how strong a rise is, in [0, 1]."""
    return min(1.0, time_rise_ms(item, p) / p.time_full_ms)


def find_slow_ways(view: View) -> Iterator[Finding]:
    """Yield the end that slow calls share: the callee, or a caller all of whose calls to several callees are slow."""
    p = view.parameters
    slow = {item.id: time_strength(item, p) for item in view.ways}
    out: defaultdict[str, list[TimeEvidence]] = defaultdict(list)
    into: defaultdict[str, list[TimeEvidence]] = defaultdict(list)
    for item in view.ways:
        out[item.caller or ""].append(item)
        into[item.service].append(item)
    ends = {
        caller: share
        for caller, items in out.items()
        if (share := _share(items, slow)) >= p.way_shared
        and len({item.service for item in items if slow[item.id]}) >= p.way_callees
    }
    for caller, share in ends.items():
        yield _finding(view, caller, out[caller], slow, share, "calls that it makes")
    for callee, items in into.items():
        left = [item for item in items if item.caller not in ends]
        share = _share(items, slow) if left else p.way_explained * _share(items, slow)
        if share:
            yield _finding(view, callee, items, slow, share, "calls to it")


def _share(items: list[TimeEvidence], slow: dict[str, float]) -> float:
    """Return the mean strength of some ways, each kind of call counting once."""
    return sum(slow[item.id] for item in items) / len(items)


def _finding(
    view: View, service: str, items: list[TimeEvidence], slow: dict[str, float], share: float, what: str
) -> Finding:
    hit = sorted((item for item in items if slow[item.id]), key=lambda item: (-slow[item.id], -item.after.count))
    worst = hit[0]
    text = (
        f"{len(hit)} of {len(items)} kinds of {what} take longer than the callee works, worst "
        f"{worst.caller} to {worst.service} {words.short(worst.operation)}: {words.ms(worst.after.p50_ms)} at the "
        f"median, {words.ms(worst.before.p50_ms)} before"
    )
    weight = view.parameters.w_network * share
    return effect(service, worst.operation, CauseKind.NETWORK_DELAY, weight, text, *[item.id for item in hit[:3]])


def find_own_time(view: View) -> Iterator[Finding]:
    """Yield services whose work takes longer by itself, the worst operation of each."""
    p = view.parameters
    worst: dict[str, tuple[float, TimeEvidence]] = {}
    for item in view.own:
        strength = time_strength(item, p)
        if strength > worst.get(item.service, (0.0, item))[0]:
            worst[item.service] = (strength, item)
    for service, (strength, item) in worst.items():
        text = (
            f"{service} {words.short(item.operation)} works {words.ms(item.after.p50_ms)} itself at the median "
            f"({words.ms(item.after.p90_ms)} at p90), {words.ms(item.before.p50_ms)} before"
        )
        yield effect(service, item.operation, CauseKind.LATENCY_REGRESSION, p.w_own_time * strength, text, item.id)

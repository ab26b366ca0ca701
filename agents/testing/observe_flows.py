"""How each number about flows, times and gauges shows: functions of the parameters and of one amount `x`."""

from agents.diagnosis import CauseKind
from agents.rca import rank
from agents.rca.finding import effect, finding
from agents.rca.flows import find_changed_flows, flow_strength
from agents.rca.gauges import find_busy_cpus, find_moved_gauges
from agents.rca.parameters import Parameters
from agents.rca.precedence import by_precedence
from agents.rca.times import find_own_time, find_slow_ways, time_rise_ms, time_strength
from agents.testing.builders import bundle, edge, metric
from agents.testing.observe import failing, view, weight
from telemetry.model import FlowEvidence, Followed, MetricEvidence, TimeEvidence, Times


def flow(
    service: str, before: tuple[int, int], after: tuple[int, int], windows: tuple[Followed, ...] = (), **more: object
) -> FlowEvidence:
    """Return a flow; counts are those of the other way and of all, what is left took the usual one."""
    counts = [Followed(usual=total - instead, instead=instead, total=total) for instead, total in (before, after)]
    values = {"source": "logs", "operation": "op", "step": "A#1", "usual": "A#2", "instead": "A#3", **more}
    return FlowEvidence.model_validate(
        {"id": "E0", "service": service, "before": counts[0], "after": counts[1], "windows": windows, **values}
    )


def flow_shift(p: Parameters, x: float) -> float:
    """Return how strong a flow is that `x` of 10,000 cases take now, and none did before."""
    return round(flow_strength(flow("s", (0, 10_000), (int(x), 10_000)), p), 6)


def known_flow(p: Parameters, x: float) -> bool:
    """Return whether a way that `x` of 1,000 cases took before may still be news."""
    return flow_strength(flow("s", (int(x), 1000), (1000, 1000)), p) > 0


def call_left_out(p: Parameters, x: float) -> float:
    """Return how strong it is that a call is left out that `x` of 1,000 requests made."""
    return round(flow_strength(flow("s", (1000 - int(x), 1000), (1000, 1000), source="spans", instead=""), p), 6)


def small_window(p: Parameters, x: float) -> float:
    """Return how strong an error is of which a window of `x` cases knew nothing, while another one knew half."""
    clean = Followed(usual=int(x), instead=0, total=int(x))
    half = Followed(usual=500, instead=500, total=1000)
    return round(flow_strength(flow("s", (500, 1000), (1000, 1000), (clean, half), severity=17), p), 6)


def breaking_off(p: Parameters, x: float) -> CauseKind | None:
    """Return the kind of a flow that the share `x` more of the cases end at."""
    item = flow("s", (0, 1000), (1000, 1000))
    ending = item.model_copy(update={"after": item.after.model_copy(update={"last": round(1000 * x)})})
    return next(find_changed_flows(view(p, ending))).kind


def flow_weight(p: Parameters, x: float) -> float:
    """Return the weight of a changed flow, with a callee whose flow `x` of 1,000 cases left."""
    called = edge("s", "d", *failing(0.0))
    changed = (flow("s", (0, 1000), (1000, 1000)), flow("d", (0, 1000), (int(x), 1000)))
    return weight(find_changed_flows, p, called, *changed)


def took(
    x: float, before: float = 100.0, *, caller: str | None = None, service: str = "s", **more: object
) -> TimeEvidence:
    """Return a time that rose to `x` milliseconds; it is a way where it has a caller."""
    was, now = (Times(count=100, p50_ms=ms, p75_ms=ms, p90_ms=ms) for ms in (before, x))
    values = {"measure": "way" if caller else "own", "caller": caller, "operation": "op", **more}
    return TimeEvidence.model_validate({"id": "E0", "service": service, "before": was, "after": now, **values})


def time_rise(p: Parameters, x: float, before: float = 100.0) -> float:
    """Return by how much a time of `x` is a rise."""
    return round(time_rise_ms(took(x, before), p), 6)


def time_in_full(p: Parameters, x: float) -> float:
    """Return how strong a rise by `x` milliseconds is."""
    return round(time_strength(took(10 + x, 10), p), 6)


def own_time(p: Parameters, x: float) -> float:
    """Return the weight of own time that rose by `x` milliseconds."""
    return weight(find_own_time, p, took(10 + x, 10))


def caller_of_slow_ways(p: Parameters, x: float) -> bool:
    """Return whether a caller is meant of whose five calls two are slow, and one by `x` milliseconds."""
    rises = (60.0, 60.0, x, 0.0, 0.0)
    ways = [took(10 + rise, 10, caller="s", service=f"d{number}") for number, rise in enumerate(rises)]
    return weight(find_slow_ways, p, *ways) > 0


def caller_of_callees(p: Parameters, x: float) -> bool:
    """Return whether a caller is meant that calls `x` services, all of them slowly."""
    ways = [took(100, 10, caller="s", service=f"d{number % int(x)}", operation=f"op{number}") for number in range(6)]
    return weight(find_slow_ways, p, *ways) > 0


def explained_way(p: Parameters, x: float) -> float:
    """Return the weight against a callee to which all calls are slow, as are all of its caller to `x` services."""
    ways = [took(100, 10, caller="c", service="s" if number == 0 else f"d{number}") for number in range(int(x))]
    return weight(find_slow_ways, p, *ways)


def gauge(name: str, before: float, after: float, z: float | None) -> MetricEvidence:
    """Return a gauge with its robust z-score."""
    return metric("s", name, before, after).model_copy(update={"score": z})


def cpu(p: Parameters, x: float, before: float = 0.0, z: float = 6.0) -> float:
    """Return the weight of a CPU utilization that rose to `x`, -1 without a finding."""
    items = [gauge("cpu.utilization", before, x, z)]
    return weight(find_busy_cpus, p, *items) if list(find_busy_cpus(view(p, *items))) else -1.0


def cpu_score(p: Parameters, x: float) -> float:
    """Return the weight of a CPU utilization that is `x` deviations from normal."""
    return cpu(p, 0.9, z=x)


def moved_gauge(p: Parameters, x: float) -> float:
    """Return the weight of a gauge that is `x` deviations from normal."""
    return weight(find_moved_gauges, p, gauge("queue", 0, 9, x))


def explained_flow(p: Parameters, x: float) -> bool:
    """Return whether a cause of the weight `x` explains a changed flow."""
    cause = finding("s", None, CauseKind.DB_POOL_EXHAUSTION, x, "cause", "E1")
    seen = effect("s", None, CauseKind.MISSING_WORK, 0.85, "flow", "E2")
    return by_precedence([cause, seen], p)[1].kind is None


def candidates(p: Parameters, x: float) -> int:
    """Return how many of `x` candidates are shown."""
    return len(rank(bundle(*(took(100, 10, service=f"s{number}") for number in range(int(x)))), p))

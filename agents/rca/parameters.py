"""Every number of the root-cause ranking, each with where it comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameters:
    """Thresholds and weights of the ranking; ratios and weights are in [0, 1].

    What says *detector* is the rule by which Scout calls a window bad, so that ranking and detection agree. What says
    *ordinal* was chosen for its order only (a direct observation of a cause outweighs a symptom, a symptom outweighs
    a coincidence) and holds for the scenarios in `agents.testing.scenarios` within the variations of the property
    tests, and on the public faults of docs/rca.md, which also shows how results move with them.
    """

    error_ratio_floor: float = 0.02
    """Detector D1: a window is bad from 2 % errors."""
    error_ratio_factor: float = 2.0
    """Ordinal: an error ratio must at least double to be a change."""
    error_ratio_full: float = 0.2
    """Ordinal: from this rise in the error ratio the symptom counts fully."""
    min_errors: int = 5
    """Detector D1: fewer bad events are never suspect."""
    latency_factor: float = 1.5
    """Detector D2: p95 against baseline."""
    latency_floor_ms: float = 50.0
    """Detector D2: and at least this much more."""
    saturation_ratio: float = 0.9
    """Detector D5: pool used/max, memory/limit."""
    recent_change_s: float = 1800.0
    """Detector D6: a version change counts for 30 minutes."""
    change_slack_s: float = 30.0
    """A change is first seen in spans that end after it, and ticks are 5 s: the onset may look a little earlier."""
    traffic_floor_ratio: float = 0.2
    """Ordinal: a callee that serves less than this share of its former rate is as good as gone."""
    grown_factor: float = 3.0
    """Ordinal: a signature that was there before must come this much more often to speak for a fault."""
    gap_share: float = 0.6
    """Ordinal: share of a slower call that its callee does not account for, from which the network is meant."""

    flow_shift_floor: float = 0.8
    """Benchmark (docs/rca.md): lower bounds of the log odds ratio between normal windows stay below."""
    flow_shift_full: float = 2.0
    """Ordinal: this much above the floor counts fully; every request of a dozen leaves its usual way."""
    flow_known_share: float = 0.3
    """Ordinal: a way that this share of requests takes in every normal window is no news."""
    flow_usual_share: float = 0.8
    """Ordinal: a call that this share of requests makes is work that must be done."""
    flow_min_window: int = 5
    """Detector D1: fewer events are never judged."""
    flow_broken_off: float = 0.1
    """Ordinal: this share more of spans that end at a step are exceptions."""
    flow_passed_on: float = 0.7
    """Ordinal: share of a changed flow that a callee whose flow changed in full accounts for."""
    time_factor: float = 1.5
    """Detector D2: against the slowest normal window."""
    time_floor_ms: float = 20.0
    """Ordinal: above the jitter of a millisecond clock and of a scheduler's slice."""
    time_full_ms: float = 60.0
    """Ordinal: two thirds of a scheduler's period of 100 ms, in which a pod without CPU waits."""
    way_shared: float = 0.6
    """Ordinal: share of a service's calls that are slow, from which it is meant and not those that it calls."""
    way_callees: int = 2
    """One slow callee tells nothing about its caller."""
    way_explained: float = 0.3
    """Ordinal: what slow calls are still worth against a callee when all come from such a caller."""
    cpu_rise_floor: float = 0.2
    """Ordinal: of a limit; less is load."""
    cpu_rise_full: float = 0.6
    """Ordinal: more than half of a limit."""
    cpu_full: float = 0.95
    """Ordinal: at its limit a rise above the floor counts fully."""
    cpu_score_full: float = 6.0
    """Detector D5."""
    gauge_score_full: float = 100.0
    """Ordinal: scores of gauges near constant reach far."""

    cause_floor: float = 0.4
    """Ordinal: from here on a cause explains the changed flows and slow ways of its service; a full pool alone does."""
    w_flow: float = 0.85
    """Ordinal: work left its usual way: nearly as telling as a gauge of the cause."""
    w_own_time: float = 0.3
    """Ordinal: own time also holds what asynchronous work waits for."""
    w_cpu: float = 0.9
    """Ordinal: the cause itself, measured."""
    w_gauge: float = 0.05
    """Ordinal: a gauge that says nothing about a cause only orders what nothing else tells apart."""
    w_symptom: float = 0.35
    """Ordinal: requests of a service fail or slow down."""
    w_leaf: float = 0.3
    """Ordinal: error traces end in the service (error leaves; detection.md, grouping)."""
    w_signature: float = 0.6
    """Ordinal: an exception of the service's own code, new or grown."""
    w_status: float = 0.4
    """Ordinal: failures without an exception, and nothing below fails."""
    w_pool_used: float = 0.45
    """Ordinal: a pool at its limit."""
    w_pool_pending: float = 0.35
    """Ordinal: requests that wait for a connection."""
    w_pool_timeout: float = 0.65
    """Ordinal: waiting for a connection ended in an error, which says it in so many words."""
    w_resource: float = 0.65
    """Ordinal: memory or CPU at its limit; more than slowness, which it causes."""
    w_slow: float = 0.6
    """Ordinal: slower, and no callee accounts for it."""
    w_waited_for: float = 0.4
    """Ordinal: callers time out waiting for the service."""
    w_down: float = 0.7
    """Ordinal: callers cannot reach it, or it stopped serving."""
    w_network: float = 0.8
    """Ordinal: calls take longer than their callee works."""
    w_change: float = 0.3
    """Ordinal: the service was deployed just before; it fades to nothing over `recent_change_s`."""
    victim_symptom: float = 0.2
    """Ordinal: what a symptom is still worth when a callee explains it in full."""
    victim_cause: float = 0.5
    """Ordinal: what a cause of its own is still worth then."""

    min_score: float = 0.1
    """Candidates below are not shown."""
    max_candidates: int = 5
    """More are not read by anybody."""
    likely_score: float = 0.5
    """Ordinal: reached by one direct observation of a cause with a symptom, not by a symptom alone."""
    confirmed_score: float = 0.8
    """Ordinal: reached by two direct observations, or one with a deploy and a symptom."""
    likely_margin: float = 0.1
    """Ordinal: two candidates nearer than this cannot be told apart."""
    confirmed_margin: float = 0.25
    """Ordinal: lead over the next candidate."""


DEFAULTS = Parameters()

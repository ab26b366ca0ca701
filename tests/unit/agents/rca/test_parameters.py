"""Every number of the ranking has a row: what is seen just below it, and what at it or just above it."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial

import pytest

from agents.diagnosis import CauseKind, Verdict
from agents.rca.parameters import DEFAULTS, Parameters
from agents.testing import observe, observe_flows

Observation = Callable[[Parameters, float], object]
INCONCLUSIVE, LIKELY, CONFIRMED = Verdict.INCONCLUSIVE, Verdict.LIKELY, Verdict.CONFIRMED
WAITED = partial(observe.errors, error_type="ReadTimeout", message="timed out", service="d")
REFUSED = partial(observe.errors, error_type="ConnectionRefusedError", message="connection refused", service="d")
POOL = partial(observe.errors, error_type="TimeoutError", message="QueuePool limit reached")

# A number, the function that shows it, and which amount shows what.
ROWS: list[tuple[str, Observation, dict[float, object]]] = [
    ("error_ratio_floor", observe.error_ratio, {0.0199: 0.0, 0.02: 0.02}),
    ("error_ratio_factor", partial(observe.error_ratio, before=0.1), {0.1999: 0.0, 0.2: 0.1}),
    ("error_ratio_full", observe.errors_in_full, {0.1999: 0.9995, 0.2: 1.0, 0.3: 1.0}),
    ("min_errors", observe.few_errors, {4: 0.0, 5: 0.25}),
    ("latency_factor", observe.latency, {299.9: 0.0, 300: 100.0}),
    ("latency_floor_ms", partial(observe.latency, before=50.0), {99.9: 0.0, 100: 50.0}),
    ("saturation_ratio", observe.pool, {899: 0.0, 900: 0.45}),
    ("saturation_ratio", observe.memory, {899: 0.0, 900: 0.65}),
    ("recent_change_s", observe.deployed, {1800: True, 1801: False}),
    ("change_slack_s", observe.deployed, {-30: True, -30.5: False}),
    ("traffic_floor_ratio", observe.silent, {7999: True, 8000: False}),
    ("grown_factor", observe.grows, {120: False, 121: True}),
    ("gap_share", observe.network, {400: 0.8, 401: 0.0}),
    ("flow_shift_floor", observe_flows.flow_shift, {11: 0.0, 12: 0.023755}),
    ("flow_shift_full", observe_flows.flow_shift, {83: 0.996438, 84: 1.0, 100: 1.0}),
    ("flow_known_share", observe_flows.known_flow, {299: True, 300: False}),
    ("flow_usual_share", observe_flows.call_left_out, {799: 0.33, 800: 0.8}),
    ("flow_min_window", observe_flows.small_window, {4: 0.5, 5: 1.0}),
    ("flow_broken_off", observe_flows.breaking_off, {0.099: CauseKind.MISSING_WORK, 0.1: CauseKind.EXCEPTION}),
    ("flow_passed_on", observe_flows.flow_weight, {0: 0.85, 1000: 0.255}),
    ("time_factor", observe_flows.time_rise, {149.9: 0.0, 150: 50.0}),
    ("time_floor_ms", partial(observe_flows.time_rise, before=10.0), {29.9: 0.0, 30: 20.0}),
    ("time_full_ms", observe_flows.time_in_full, {59.9: 0.998333, 60: 1.0, 70: 1.0}),
    ("way_shared", observe_flows.caller_of_slow_ways, {59.9: False, 60: True}),
    ("way_callees", observe_flows.caller_of_callees, {1: False, 2: True, 3: True}),
    ("way_explained", observe_flows.explained_way, {1: 0.8, 2: 0.24}),
    ("cpu_rise_floor", observe_flows.cpu, {0.199: -1.0, 0.2: 0.0}),
    ("cpu_rise_full", observe_flows.cpu, {0.599: 0.89775, 0.6: 0.9, 0.7: 0.9}),
    ("cpu_full", partial(observe_flows.cpu, before=0.7), {0.949: 0.11025, 0.95: 0.9}),
    ("cpu_score_full", observe_flows.cpu_score, {5.9: 0.885, 6: 0.9, 7: 0.9}),
    ("gauge_score_full", observe_flows.moved_gauge, {99: 0.0495, 100: 0.05, 101: 0.05, -100: 0.05}),
    ("cause_floor", observe_flows.explained_flow, {0.399: False, 0.4: True}),
    ("w_flow", observe_flows.flow_weight, {0: 0.85}),
    ("w_own_time", observe_flows.own_time, {30: 0.15, 60: 0.3}),
    ("w_cpu", observe_flows.cpu, {0.4: 0.45, 0.6: 0.9, 0.95: 0.9}),
    ("w_gauge", observe_flows.moved_gauge, {50: 0.025, 100: 0.05}),
    ("w_symptom", observe.symptoms, {0.1: 0.175, 0.2: 0.35}),
    ("w_symptom", observe.slow_symptoms, {1499: 0.0, 1500: 0.175, 2000: 0.35}),
    ("w_leaf", observe.leaves, {5: 0.15, 10: 0.3}),
    ("w_signature", partial(observe.errors, error_type="KeyError"), {500: 0.3, 1000: 0.6, 2000: 0.6}),
    ("w_status", partial(observe.errors, error_type="500"), {500: 0.2, 1000: 0.4}),
    ("w_status", partial(observe.errors, error_type="ReadTimeout", message="timed out"), {500: 0.2, 1000: 0.4}),
    ("w_status", observe.unknown_callee, {0.1: 0.2, 0.2: 0.4}),
    ("w_pool_used", observe.pool, {900: 0.45, 1000: 0.45}),
    ("w_pool_pending", observe.pending, {8: 0.0, 9: 0.35}),
    ("w_pool_timeout", POOL, {500: 0.325, 1000: 0.65}),
    ("w_resource", observe.memory, {900: 0.65, 1000: 0.65}),
    ("w_slow", observe.own_slowness, {1499: 0.0, 1500: 0.3, 2000: 0.6}),
    ("w_slow", observe.slow_unknown_callee, {1499: 0.0, 1500: 0.3, 2000: 0.6}),
    ("w_waited_for", WAITED, {500: 0.2, 1000: 0.4}),
    ("w_down", REFUSED, {500: 0.35, 1000: 0.7}),
    ("w_down", observe.silent_callee, {0.1: 0.35, 0.2: 0.7}),
    ("w_network", observe.network, {0: 0.8, 400: 0.8}),
    ("w_change", observe.fresh_deploy, {1801: 0.3, 1800: 0.3, 900: 0.405, 0: 0.51, -30: 0.51}),
    ("victim_symptom", observe.victim, {0: 0.35, 0.25: 0.21, 0.5: 0.07}),
    ("victim_cause", observe.victim_with_cause, {0: 0.74, 0.5: 0.349}),
    ("min_score", observe.shown, {2499: 0, 2500: 1}),
    ("max_candidates", observe_flows.candidates, {4: 4, 5: 5, 6: 5}),
    ("likely_score", observe.judged, {0.499: INCONCLUSIVE, 0.5: LIKELY}),
    ("confirmed_score", observe.judged, {0.799: LIKELY, 0.8: CONFIRMED}),
    ("likely_margin", partial(observe.judged, second=0.5), {0.599: INCONCLUSIVE, 0.601: LIKELY}),
    ("confirmed_margin", partial(observe.judged, second=0.625), {0.874: LIKELY, 0.875: CONFIRMED}),
]
NAMED = [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(ROWS)]


def test_every_number_has_a_row():
    """A number that nobody tests could be any other one."""
    assert {name for name, _, _ in ROWS} == {field.name for field in fields(Parameters)}


@pytest.mark.parametrize(("name", "observed", "expected"), NAMED)
def test_a_number_shows_just_below_it_and_at_it(name, observed, expected):
    """What the ranking makes of each amount is exactly this."""
    assert {amount: observed(DEFAULTS, amount) for amount in expected} == expected


@pytest.mark.parametrize("step", [-1, 1], ids=["lower", "higher"])
@pytest.mark.parametrize("name", [field.name for field in fields(Parameters)])
def test_another_number_would_show_in_its_rows(name, step):
    """A number that is 2 % lower or higher, or a count that is one off, changes what is seen."""
    number = getattr(DEFAULTS, name)
    other = replace(DEFAULTS, **{name: number + step if isinstance(number, int) else number * (1 + 0.02 * step)})
    rows = [(observed, expected) for row, observed, expected in ROWS if row == name]
    assert any(observed(other, amount) != seen for observed, expected in rows for amount, seen in expected.items())

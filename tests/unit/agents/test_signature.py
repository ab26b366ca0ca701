"""The incident's signature is the same when the same failure comes back, and another for another failure."""

from datetime import timedelta
from itertools import permutations

import pytest

from agents.signature import incident_signature
from agents.testing.builders import ONSET, anomaly, bundle, red, signal, summary
from agents.testing.scenarios import (
    PRICE,
    QUOTE,
    bad_deploy,
    deploy_signal,
    healthy,
    latency_signal,
    latency_spike,
    pool_exhaustion,
    pool_signal,
)
from telemetry.model import Detector, MetricEvidence, SignatureEvidence, VersionEvidence

ERRORS = anomaly("quote", QUOTE, Detector.ERRORS, "errors")
SATURATION = anomaly("quote", QUOTE, Detector.SATURATION, "saturated")
LATENCY = anomaly("quote", QUOTE, Detector.LATENCY, "slow")
GATEWAY = anomaly("gateway", QUOTE, Detector.ERRORS, "errors")


@pytest.mark.parametrize(
    "fired", [c for n in (1, 2, 3, 4) for c in permutations((ERRORS, SATURATION, LATENCY, GATEWAY), n)]
)
def test_signature_does_not_depend_on_which_detectors_fired_in_which_order(fired):
    """D1, D5 and D2, on the culprit or its caller, in any order and combination."""
    assert incident_signature(signal(pool_exhaustion(), *fired)) == incident_signature(pool_signal())


def test_saturation_seen_before_the_first_error_has_the_signature_of_the_errors():
    """D5 may open the incident while there is no error yet: only the pool's metrics and some slowness."""
    items = [item for item in pool_exhaustion().items if isinstance(item, MetricEvidence)]
    early = bundle(*items, red("quote", QUOTE, summary(3600, 0, 256), summary(2400, 0, 480)))
    assert incident_signature(signal(early, SATURATION)) == incident_signature(pool_signal())


def test_a_larger_pool_and_other_numbers_are_still_the_same_failure():
    """The second time the pool is larger and the traffic another."""
    again = pool_signal(pool_exhaustion(size=15, pending=22, rps=140))
    assert incident_signature(again) == incident_signature(pool_signal())


def test_root_service_as_scout_guesses_it_does_not_matter():
    """A latency spike is the same whether Scout takes pricing or quote for the root."""
    slow = anomaly("pricing", PRICE, Detector.LATENCY, "slow")
    assert incident_signature(signal(latency_spike(), slow)) == incident_signature(latency_signal())


def test_an_exception_has_the_same_signature_with_and_without_the_deploy_in_sight():
    """The deploy may lie outside the bundle; the failure is the same."""
    items = tuple(item for item in bad_deploy().items if not isinstance(item, VersionEvidence))
    alone = bad_deploy().model_copy(update={"items": items})
    assert incident_signature(deploy_signal(alone)) == incident_signature(deploy_signal())


def test_line_numbers_do_not_matter_but_the_function_does():
    """Code moves; a failure in another function is another failure."""
    base = deploy_signal()

    def changed(**update):
        items = []
        for item in base.evidence.items:
            if isinstance(item, SignatureEvidence) and item.frames:
                innermost = item.frames[0].model_copy(update=update)
                items.append(item.model_copy(update={"frames": (innermost, *item.frames[1:])}))
            else:
                items.append(item)
        return deploy_signal(base.evidence.model_copy(update={"items": tuple(items)}))

    assert incident_signature(changed(line=7)) == incident_signature(base)
    assert incident_signature(changed(function="coupon_discount_cents")) != incident_signature(base)


def test_different_failures_and_tenants_have_different_signatures():
    """Three scenarios, and one of them at another tenant."""
    other = pool_signal().model_copy(update={"tenant": "other"})
    signals = (pool_signal(), deploy_signal(), latency_signal(), other)
    assert len({incident_signature(found) for found in signals}) == len(signals)


def test_without_any_candidate_the_earliest_anomaly_gives_the_signature():
    """Evidence that shows nothing still gives a stable signature, whatever the order of the anomalies."""
    late = anomaly("gateway", QUOTE, Detector.LATENCY, "slow", onset=ONSET + timedelta(seconds=5))
    one = signal(healthy(), ERRORS, late, root=("quote", QUOTE))
    two = signal(healthy(), late, ERRORS, root=("quote", QUOTE))
    assert incident_signature(one) == incident_signature(two)
    assert incident_signature(one).startswith("unexplained:")

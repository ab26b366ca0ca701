"""The ranking names the right culprit in the three scenarios, in many forms, and nobody when nothing is wrong."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.diagnosis import CauseKind, Verdict
from agents.rca import rank, verdict
from agents.testing.builders import (
    BAD_REVISION,
    GOOD_REVISION,
    bundle,
    edge,
    error_signature,
    metric,
    red,
    summary,
    version,
)
from agents.testing.scenarios import (
    PRICE,
    QUOTE,
    bad_deploy,
    healthy,
    latency_spike,
    pool_exhaustion,
)
from telemetry.model import (
    EdgeEvidence,
    EvidenceBundle,
    MetricEvidence,
    RedEvidence,
    SignatureEvidence,
    TimeEvidence,
    Times,
    TraceEvidence,
    VersionEvidence,
)

SCENARIOS = {
    "pool": (pool_exhaustion(), "quote", CauseKind.DB_POOL_EXHAUSTION),
    "deploy": (bad_deploy(), "quote", CauseKind.BAD_DEPLOY),
    "latency": (latency_spike(), "pricing", CauseKind.LATENCY_REGRESSION),
}
ALL = [evidence for evidence, _, _ in SCENARIOS.values()] + [healthy()]


def without(evidence: EvidenceBundle, *kinds: type) -> EvidenceBundle:
    """Return the bundle without items of these kinds; the others keep their ids."""
    return evidence.model_copy(update={"items": tuple(i for i in evidence.items if not isinstance(i, kinds))})


def first(evidence: EvidenceBundle) -> tuple[str, CauseKind]:
    """Return service and kind of the first candidate."""
    best = rank(evidence)[0]
    return best.service, best.kind


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_is_confirmed_with_the_right_service_and_kind(name):
    """Each scenario of the sandbox has one confirmed culprit."""
    evidence, service, kind = SCENARIOS[name]
    assert first(evidence) == (service, kind)
    assert verdict(rank(evidence), evidence) is Verdict.CONFIRMED


def test_nobody_is_ranked_when_nothing_stands_out():
    """A healthy bundle, and an empty one, have no candidates and are inconclusive."""
    for evidence in (healthy(), bundle()):
        assert rank(evidence) == ()
        assert verdict((), evidence) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("evidence", ALL)
def test_every_claim_cites_items_of_the_bundle(evidence):
    """No claim is without evidence, and no cited id is made up."""
    known = {item.id for item in evidence.items}
    for candidate in rank(evidence):
        assert candidate.speaks_for
        for claim in (*candidate.speaks_for, *candidate.speaks_against):
            assert claim.evidence
            assert known.issuperset(claim.evidence)


def test_callers_carry_the_claim_that_speaks_against_them():
    """The gateway suffers and is ranked lower, with the calls that explain it."""
    gateway = next(c for c in rank(pool_exhaustion()) if c.service == "gateway")
    assert "gateway calls quote" in gateway.speaks_against[0].text


@given(seed=st.integers(0, 10_000), scenario=st.sampled_from(ALL))
@settings(max_examples=40, deadline=None)
def test_order_of_items_does_not_matter(seed, scenario):
    """Shuffled items give the same ranking, claims included."""
    items = list(scenario.items)
    random.Random(seed).shuffle(items)
    assert rank(scenario.model_copy(update={"items": tuple(items)})) == rank(scenario)


NAMES = ("gateway", "quote", "pricing", "tax", "sqlite")


@given(fresh=st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True), min_size=5, max_size=5, unique=True))
@settings(max_examples=60, deadline=None)
def test_renaming_services_does_not_change_the_ranking(fresh):
    """Scores, order and kinds stay the same whatever the services are called."""
    renamed = dict(zip(NAMES, fresh, strict=True))
    for evidence in ALL:
        other = EvidenceBundle.model_validate(rename(evidence.model_dump(mode="json"), renamed))
        before = [(renamed[c.service], c.kind, c.score, c.operation) for c in rank(evidence)]
        assert [(c.service, c.kind, c.score, c.operation) for c in rank(other)] == before


def test_equal_scores_go_to_the_strongest_claim_not_to_a_name():
    """Two services are slow beyond all measure; the one whose work grew most comes first, whatever they are called."""
    for slower, slow in (("a", "b"), ("b", "a")):
        gauges = [metric(service, "queue", 0.0, 9.0).model_copy(update={"score": 99.0}) for service in ("a", "b")]
        times = [
            TimeEvidence(
                id="E0",
                measure="own",
                service=service,
                operation="work",
                before=Times(count=9, p50_ms=1.0, p75_ms=1.0, p90_ms=1.0),
                after=Times(count=9, p50_ms=ms, p75_ms=ms, p90_ms=ms),
            )
            for service, ms in ((slower, 9000.0), (slow, 8000.0))
        ]
        first, second = rank(bundle(*gauges, *times))
        assert (first.service, second.service) == (slower, slow)
        assert first.score == second.score


def rename(value, names):
    """Return JSON with every string that is exactly a service's name replaced."""
    match value:
        case dict():
            return {key: rename(item, names) for key, item in value.items()}
        case list():
            return [rename(item, names) for item in value]
        case str():
            return names.get(value, value)
        case _:
            return value


@given(size=st.integers(1, 40), pending=st.integers(1, 80), rps=st.integers(20, 200))
@settings(max_examples=40, deadline=None)
def test_pool_exhaustion_is_named_at_any_size(size, pending, rps):
    """Small and large pools, light and heavy traffic."""
    assert first(pool_exhaustion(size=size, pending=pending, rps=rps)) == ("quote", CauseKind.DB_POOL_EXHAUSTION)


@pytest.mark.parametrize(
    "missing",
    [(MetricEvidence,), (SignatureEvidence,), (TraceEvidence,), (EdgeEvidence,), (SignatureEvidence, TraceEvidence)],
)
def test_pool_exhaustion_is_named_with_one_signal_missing(missing):
    """Metrics alone or errors alone are enough."""
    assert first(without(pool_exhaustion(), *missing)) == ("quote", CauseKind.DB_POOL_EXHAUSTION)


@pytest.mark.parametrize("missing", [(TraceEvidence,), (SignatureEvidence, TraceEvidence), (VersionEvidence,)])
def test_slow_callee_is_named_with_signals_missing(missing):
    """The culprit of a latency spike is found from RED and edges alone."""
    evidence = without(latency_spike(), *missing)
    assert first(evidence) == ("pricing", CauseKind.LATENCY_REGRESSION)
    assert verdict(rank(evidence), evidence) is not Verdict.INCONCLUSIVE


def test_without_a_deploy_the_same_exception_is_no_bad_deploy():
    """A deploy is blamed only when there was one."""
    assert first(without(bad_deploy(), VersionEvidence)) == ("quote", CauseKind.EXCEPTION)


def test_an_old_error_that_grows_after_a_deploy_is_not_the_deploys():
    """A signature that was there before the deploy is not what the deploy brought."""
    items = [
        item.model_copy(update={"is_new": False, "count_before": 30}) if isinstance(item, SignatureEvidence) else item
        for item in bad_deploy().items
    ]
    assert first(bad_deploy().model_copy(update={"items": tuple(items)})) == ("quote", CauseKind.EXCEPTION)


@given(factor=st.floats(1.0, 1.7), p95_ms=st.floats(400, 3000))
@settings(max_examples=40, deadline=None)
def test_a_loaded_machine_does_not_move_the_blame_from_the_pool(factor, p95_ms):
    """Under load the callee gets somewhat slower too; the exhausted pool stays the culprit."""
    items = []
    for item in pool_exhaustion().items:
        if isinstance(item, RedEvidence | EdgeEvidence) and "pricing" in (
            getattr(item, "service", ""),
            getattr(item, "callee", ""),
        ):
            after = summary(item.after.requests, item.after.errors, (item.before.p95_ms or 0) * factor)
            items.append(item.model_copy(update={"after": after}))
        elif isinstance(item, RedEvidence):
            items.append(item.model_copy(update={"after": summary(item.after.requests, item.after.errors, p95_ms)}))
        else:
            items.append(item)
    assert first(bundle(*items)) == ("quote", CauseKind.DB_POOL_EXHAUSTION)


@given(price_ms=st.floats(330, 5000), failed=st.floats(0.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_the_slow_callee_wins_over_callers_that_time_out(price_ms, failed):
    """From a mild slow-down without any time-out to a total one."""
    requests = 480
    errors = int(requests * failed)
    seen_ms = min(price_ms, 502)
    evidence = bundle(
        red("gateway", QUOTE, summary(3600, 0, 262), summary(requests, errors, seen_ms + 46)),
        red("quote", QUOTE, summary(3600, 0, 256), summary(requests, errors, seen_ms + 40)),
        red("pricing", PRICE, summary(3600, 0, 213), summary(requests, 0, price_ms)),
        edge("gateway", "quote", summary(3600, 0, 258), summary(requests, errors, seen_ms + 42)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(requests, errors, seen_ms)),
        edge("pricing", "tax", summary(3600, 0, 210), summary(requests, 0, 211)),
        error_signature("quote", PRICE, "httpx.ReadTimeout", "", count=errors),
        error_signature("gateway", QUOTE, "504", "", count=errors),
        version("pricing", GOOD_REVISION, BAD_REVISION),
    )
    assert first(evidence) == ("pricing", CauseKind.LATENCY_REGRESSION)


def test_slowness_is_handed_down_to_a_callee_without_telemetry():
    """An external service that became slow is named, not the service that calls it."""
    evidence = bundle(
        red("quote", QUOTE, summary(3600, 0, 256), summary(480, 0, 900)),
        red("pricing", PRICE, summary(3600, 0, 213), summary(480, 0, 850)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(480, 0, 853)),
        edge("pricing", "tax", summary(3600, 0, 210), summary(480, 0, 845)),
    )
    assert first(evidence) == ("tax", CauseKind.LATENCY_REGRESSION)


def test_a_callee_that_fell_silent_is_down():
    """Callers are refused, and the callee reports nothing any more."""
    evidence = bundle(
        red("quote", QUOTE, summary(3600, 0, 256), summary(480, 470, 20)),
        red("pricing", PRICE, summary(3600, 0, 213), summary(0)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(480, 470, 3)),
        error_signature("quote", PRICE, "httpx.ConnectError", "All connection attempts failed", count=470),
    )
    assert first(evidence) == ("pricing", CauseKind.DEPENDENCY_DOWN)


def test_a_slow_way_to_a_healthy_callee_is_the_network():
    """The callee works as fast as before; only the calls take longer."""
    evidence = bundle(
        red("quote", QUOTE, summary(3600, 0, 256), summary(480, 0, 470)),
        red("pricing", PRICE, summary(3600, 0, 213), summary(480, 0, 214)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(480, 0, 425)),
    )
    assert first(evidence) == ("pricing", CauseKind.NETWORK_DELAY)


def test_a_caller_that_gives_up_too_early_is_its_own_culprit():
    """The callee is as well as ever by its own report: a time-out that was set too low is the caller's doing."""
    evidence = bundle(
        red("quote", QUOTE, summary(3600, 0, 256), summary(480, 400, 120)),
        red("pricing", PRICE, summary(3600, 0, 213), summary(480, 0, 214)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(480, 400, 101)),
        error_signature("quote", PRICE, "httpx.ReadTimeout", "", count=400),
        version("quote", GOOD_REVISION, BAD_REVISION),
    )
    assert first(evidence) == ("quote", CauseKind.BAD_DEPLOY)


def test_memory_at_its_limit_is_memory_saturation():
    """A gauge with a limit that it has reached."""
    evidence = bundle(
        red("quote", QUOTE, summary(3600, 0, 256), summary(480, 30, 900)),
        metric("quote", "k8s.pod.memory.working_set", 200, 508, limit=512),
    )
    assert first(evidence) == ("quote", CauseKind.MEMORY_SATURATION)


def test_a_pool_that_was_always_full_explains_nothing():
    """What was the same before the fault is no finding."""
    evidence = bundle(metric("quote", "db.client.connection.count", 2, 2, limit=2))
    assert rank(evidence) == ()


def test_two_equal_candidates_are_inconclusive():
    """When two services that do not call each other fail alike, the ranking does not choose."""
    evidence = bundle(
        *(red(name, QUOTE, summary(3600, 0, 256), summary(480, 190, 255)) for name in ("one", "two")),
        *(error_signature(name, QUOTE, "ValueError", "x", (("a/b.py", "f"),), count=190) for name in ("one", "two")),
    )
    candidates = rank(evidence)
    assert candidates[0].score == candidates[1].score
    assert verdict(candidates, evidence) is Verdict.INCONCLUSIVE


def test_a_symptom_alone_is_inconclusive():
    """Errors of which nothing is known but their number name no cause."""
    evidence = bundle(red("quote", QUOTE, summary(3600, 0, 256), summary(480, 190, 255)))
    candidates = rank(evidence)
    assert candidates[0].kind is CauseKind.UNKNOWN
    assert verdict(candidates, evidence) is Verdict.INCONCLUSIVE


def test_the_end_of_a_long_chain_is_suspected_first():
    """Sixty services in a row all fail: the deepest one is named."""
    names = [f"s{i}" for i in range(60)]
    items = [red(name, f"op{i % 3}", summary(3600, 0, 100), summary(480, 100, 400)) for i, name in enumerate(names)]
    items += [edge(a, b, summary(3600, 0, 99), summary(480, 100, 390)) for a, b in pairwise(names)]
    assert rank(bundle(*items))[0].service == "s59"

"""How sure a diagnosis is: each condition of each verdict, one by one, on both sides."""

from dataclasses import replace

import pytest

from agents.diagnosis import Candidate, CauseKind, Claim, Verdict
from agents.rca import verdict
from agents.rca.parameters import DEFAULTS
from agents.testing.builders import bundle, edge, error_signature, metric, red, summary
from telemetry.model import EvidenceBundle

INCONCLUSIVE, LIKELY, CONFIRMED = Verdict.INCONCLUSIVE, Verdict.LIKELY, Verdict.CONFIRMED
BEFORE, AFTER = summary(100, 0, 10), summary(100, 50, 10)


def evidence() -> EvidenceBundle:
    """Return E1 and E2 of one kind, E3 and E4 of two others, a scored gauge E5 and one without a score E6."""
    return bundle(
        red("a", "op", BEFORE, AFTER),
        red("a", "other", BEFORE, AFTER),
        edge("a", "b", BEFORE, AFTER),
        error_signature("a", "op", "KeyError", "k"),
        metric("a", "queue", 0, 9).model_copy(update={"score": 50.0}),
        metric("a", "queue", 0, 9),
    )


def candidate(
    score: float, *claims: tuple[str, ...], service: str = "a", kind: CauseKind = CauseKind.EXCEPTION
) -> Candidate:
    """Return a candidate; each claim cites these ids."""
    cited = tuple(Claim(text=f"claim {number}", evidence=ids) for number, ids in enumerate(claims))
    return Candidate(service=service, operation=None, kind=kind, score=score, speaks_for=cited)


def judged(best: Candidate, second: float | None = None, **numbers: float) -> Verdict:
    """Return the verdict about the best candidate beside another one with the score `second`."""
    others = () if second is None else (candidate(second, ("E1",), service="b"),)
    return verdict((best, *others), evidence(), replace(DEFAULTS, **numbers))


@pytest.mark.parametrize(
    ("score", "second", "claims", "expected"),
    [
        pytest.param(0.8, None, [("E1",), ("E3",)], CONFIRMED, id="all three conditions hold"),
        pytest.param(0.799999, None, [("E1",), ("E3",)], LIKELY, id="the score is too low to confirm"),
        pytest.param(0.875, 0.625, [("E1",), ("E3",)], CONFIRMED, id="the lead is exactly a quarter"),
        pytest.param(0.875, 0.625001, [("E1",), ("E3",)], LIKELY, id="the lead is too small to confirm"),
        pytest.param(1.0, None, [("E1",), ("E2",)], LIKELY, id="two items of one kind"),
        pytest.param(1.0, None, [("E1",)], LIKELY, id="one item"),
        pytest.param(1.0, None, [], LIKELY, id="no item"),
        pytest.param(1.0, None, [("E1", "E3")], CONFIRMED, id="two kinds in one claim"),
        pytest.param(1.0, None, [("E1",), ("E3",), ("E4",)], CONFIRMED, id="three kinds"),
        pytest.param(1.0, None, [("E1",), ("E99",)], LIKELY, id="one of two ids is unknown"),
        pytest.param(0.5, None, [("E1",)], LIKELY, id="the score is just enough"),
        pytest.param(0.499999, None, [("E1",), ("E3",)], INCONCLUSIVE, id="the score is too low"),
        pytest.param(1.0, 0.899, [("E1",), ("E3",)], LIKELY, id="the lead is just enough"),
        pytest.param(1.0, 0.901, [("E1",), ("E3",)], INCONCLUSIVE, id="the lead is too small"),
        pytest.param(0.3, 0.0, [("E1",), ("E3",)], INCONCLUSIVE, id="a low score with a large lead"),
    ],
)
def test_a_verdict_needs_score_and_lead_and_to_be_confirmed_two_kinds_of_evidence(score, second, claims, expected):
    """Each of the three conditions alone keeps a diagnosis from being confirmed."""
    assert judged(candidate(score, *claims), second) is expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"likely_score": 0.75, "confirmed_score": 0.9}, LIKELY),
        ({"likely_score": 0.751}, INCONCLUSIVE),
        ({"likely_margin": 0.25}, CONFIRMED),
        ({"likely_margin": 0.251}, INCONCLUSIVE),
        ({"confirmed_margin": 0.25}, CONFIRMED),
        ({"confirmed_margin": 0.251}, LIKELY),
        ({"confirmed_score": 0.75}, CONFIRMED),
        ({"confirmed_score": 0.751}, LIKELY),
    ],
)
def test_a_number_that_is_reached_exactly_suffices(numbers, expected):
    """Score and lead are numbers here that floats hold exactly."""
    assert judged(candidate(0.75, ("E1",), ("E3",)), 0.5, **{"confirmed_score": 0.75, **numbers}) is expected


def test_nobody_and_an_unknown_kind_are_inconclusive():
    """However high the score is."""
    assert verdict((), evidence()) is INCONCLUSIVE
    assert judged(candidate(1.0, ("E1",), ("E3",), kind=CauseKind.UNKNOWN)) is INCONCLUSIVE


def test_without_a_second_candidate_the_whole_score_is_the_lead():
    """It counts as one of the score zero."""
    assert judged(candidate(0.5, ("E1",)), likely_margin=0.5) is LIKELY
    assert judged(candidate(0.5, ("E1",)), likely_margin=0.501) is INCONCLUSIVE


RESOURCES = {CauseKind.CPU_CONTENTION, CauseKind.MEMORY_SATURATION, CauseKind.DB_POOL_EXHAUSTION}


@pytest.mark.parametrize("kind", sorted(set(CauseKind) - {CauseKind.UNKNOWN}))
def test_a_scored_gauge_is_a_kind_of_evidence_for_a_cause_that_gauges_measure(kind):
    """For another kind it only says that something changed; a gauge without a score has its limit instead."""
    assert judged(candidate(1.0, ("E1",), ("E5",), kind=kind)) is (CONFIRMED if kind in RESOURCES else LIKELY)
    assert judged(candidate(1.0, ("E1",), ("E6",), kind=kind)) is CONFIRMED

"""What a candidate says of itself: its kind, its operation, its score and its claims, each of them once."""

from agents.diagnosis import CauseKind
from agents.rca import rank
from agents.testing.builders import bundle, edge, metric, red, summary
from agents.testing.scenarios import QUOTE, pool_exhaustion

FAST = summary(480, 0, 100)


def test_two_weak_signs_of_one_kind_do_not_outweigh_a_strong_one_of_another():
    """A pool in use and requests that wait for it weigh 0.45 and 0.35, together 0.6425; a full memory weighs 0.65."""
    pool = [
        metric("s", "db.client.connection.count", 0, 1000, limit=1000),
        metric("s", "db.client.connection.pending_requests", 4, 9),
    ]
    memory = metric("s", "process.memory.usage", 0, 1000, limit=1000)
    assert rank(bundle(*pool))[0].kind is CauseKind.DB_POOL_EXHAUSTION
    assert rank(bundle(*pool, memory))[0].kind is CauseKind.MEMORY_SATURATION


def test_a_claim_that_another_one_says_in_more_words_is_left_out():
    """That it is slow is part of: it is slow although what it calls is as fast as before."""
    slow = red("s", QUOTE, FAST, summary(480, 0, 900))
    (best,) = rank(bundle(slow, red("d", "op", FAST, FAST), edge("s", "d", FAST, FAST)))
    took = f"s {QUOTE} takes 900 ms at p95, 100 ms before"
    assert [claim.text for claim in best.speaks_for] == [f"{took}, while its calls to d are as fast as before"]


def test_the_operation_is_that_of_the_strongest_sign_that_has_one():
    """A full memory has none."""
    slow = red("s", QUOTE, FAST, summary(480, 0, 900))
    best = rank(bundle(slow, metric("s", "process.memory.usage", 0, 1000, limit=1000)))[0]
    assert (best.kind, best.operation) == (CauseKind.MEMORY_SATURATION, QUOTE)


def test_a_score_has_six_digits():
    """More of them would mean nothing."""
    scores = [candidate.score for candidate in rank(pool_exhaustion())]
    assert scores == [round(score, 6) for score in scores]

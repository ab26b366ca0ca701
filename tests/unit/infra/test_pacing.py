"""Requests are due at the rate, whatever the answers do."""

import itertools
import random

import pytest

from infra.sandbox.pacing import Arrivals, Pacer


def due_times(pacer: Pacer, until_s: float) -> list[float]:
    """Returns the due times up to a moment, as a loop without lag sees them."""
    times: list[float] = []
    while pacer.due_s() <= until_s:
        times.append(pacer.due_s())
        pacer.advance(times[-1])
    return times


@pytest.mark.parametrize("arrivals", list(Arrivals))
def test_as_many_requests_are_due_as_the_rate_says(arrivals: Arrivals) -> None:
    """20 requests a second for 100 s are 2000, give or take chance."""
    times = due_times(Pacer(20, arrivals, random.Random(1), 0.0), 100)
    assert len(times) == pytest.approx(2000, rel=0.07)


def test_paced_gaps_vary_by_half_at_most() -> None:
    """Paced load does not queue by chance."""
    times = due_times(Pacer(10, Arrivals.PACED, random.Random(1), 0.0), 20)
    gaps = [late - early for early, late in itertools.pairwise(times)]
    assert min(gaps) >= 0.05 - 1e-9
    assert max(gaps) <= 0.15 + 1e-9


def test_a_new_rate_holds_for_the_request_that_is_waiting() -> None:
    """A rise from one request an hour does not wait an hour."""
    pacer = Pacer(1 / 3600, Arrivals.PACED, random.Random(1), 0.0)
    pacer.rate_rps = 10
    assert pacer.due_s() <= 0.15


def test_a_long_pause_is_not_made_up_for_by_a_burst() -> None:
    """A machine that slept a minute does not send a minute's requests at once."""
    pacer = Pacer(10, Arrivals.PACED, random.Random(1), 0.0)
    pacer.advance(60.0)
    assert pacer.due_s() >= 59.9


def test_a_short_lag_is_made_up_for() -> None:
    """Open loop: what is due stays due."""
    pacer = Pacer(10, Arrivals.PACED, random.Random(1), 0.0)
    first = pacer.due_s()
    pacer.advance(first + 0.09)
    assert pacer.due_s() <= first + 0.15

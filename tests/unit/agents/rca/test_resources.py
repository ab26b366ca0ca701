"""How many connections would be needed, from what those in use served."""

from datetime import timedelta

import pytest

from agents.rca.resources import demand
from agents.testing.builders import ONSET, bundle, metric, red, summary
from agents.testing.scenarios import POOL, QUOTE
from telemetry.model import MetricEvidence, RedEvidence, RedPoint


def used(after: float) -> MetricEvidence:
    """Return connections in use."""
    state = {"db.client.connection.state": "used"}
    return metric("quote", "db.client.connection.count", 0, after, limit=after, attributes=POOL | state)


def waiting(after: float) -> MetricEvidence:
    """Return requests that wait for one."""
    return metric("quote", "db.client.connection.pending_requests", 0, after, attributes=POOL)


def served(requests: int, errors: int, *ticks: tuple[int, int]) -> RedEvidence:
    """Return the requests of the fault, with ticks of 5 s from the onset on."""
    points = tuple(
        RedPoint(at=ONSET + timedelta(seconds=5 * number), requests=count, errors=failed)
        for number, (count, failed) in enumerate(ticks)
    )
    item = red("quote", QUOTE, summary(900, 0, 100), summary(requests, errors, 300))
    return item.model_copy(update={"series": points})


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((used(2), waiting(16), served(800, 400)), 4.0),
        ((used(2), waiting(16), served(800, 200, (180, 0), (180, 90), (180, 60))), 4.0),
        ((used(2), waiting(16), served(800, 200, (180, 0), (6, 5))), 2.0),
        ((used(2), waiting(1), served(800, 600)), 3.0),
        ((used(2), waiting(16), served(800, 800, (180, 180))), 18.0),
        ((used(2), waiting(0), served(800, 0)), 2.0),
        ((used(2), waiting(4)), 6.0),
        ((used(2), served(800, 400)), 4.0),
    ],
)
def test_demand_is_what_all_requests_need_and_at_most_what_waited(items, expected):
    """The worst tick counts, sparse ticks do not; without anything served the queue is all that is known."""
    found = demand(bundle(*items), "quote")
    assert found is not None
    assert found[0] == pytest.approx(expected)


def test_without_pool_metrics_there_is_no_demand():
    """Unknown is not zero."""
    assert demand(bundle(served(800, 400)), "quote") is None

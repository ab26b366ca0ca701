"""Which gauges make up the connection pool of a service, and which requests tell how many connections it needs."""

from datetime import timedelta

import pytest

from agents.rca.parameters import DEFAULTS
from agents.rca.resources import demand, find_full_pools, pool_of, pools
from agents.testing.builders import ONSET, bundle, metric, red, summary
from agents.testing.observe import view
from telemetry.model import MetricEvidence, RedPoint

STATE = "db.client.connection.state"


def count(
    after: float, state: str | None = "used", pool: str | None = None, key: str = STATE, limit: float | None = None
) -> MetricEvidence:
    """Return a number of connections in one state of one pool."""
    attributes = {**({key: state} if state else {}), **({"db.client.connection.pool.name": pool} if pool else {})}
    return metric("s", "db.client.connection.count", 0, after, limit=limit, attributes=attributes)


@pytest.mark.parametrize(
    ("items", "used", "pending", "limit"),
    [
        pytest.param([count(2)], 2, None, None, id="used connections"),
        pytest.param([count(2), count(9, "idle")], 2, None, None, id="idle ones are not used"),
        pytest.param([count(2), count(9, "idle", key="state")], 2, None, None, id="an older name of the state"),
        pytest.param([count(2, None)], 2, None, None, id="without a state they are used"),
        pytest.param([count(2), count(5)], 5, None, None, id="the highest number counts"),
        pytest.param([count(2, limit=4), count(1)], 2, None, 4, id="the limit of one of them"),
        pytest.param([count(2, limit=4), count(1, limit=6)], 2, None, 6, id="the highest limit counts"),
        pytest.param(
            [count(2), metric("s", "db.client.connection.max", 8, 8)], 2, None, 8, id="a gauge of the maximum"
        ),
        pytest.param(
            [count(2, limit=4), metric("s", "db.client.connection.max", 8, 8)], 2, None, 4, id="its own limit is first"
        ),
        pytest.param(
            [metric("s", "hikaricp.connections.usage.max", 8, 8), count(2)], 2, None, 8, id="a maximum is not used"
        ),
        pytest.param(
            [metric("s", "db.client.connection.idle.min", 0, 9), count(2)], 2, None, None, id="another gauge of it"
        ),
        pytest.param(
            [metric("s", f"db.client.connection.pending_{of}", 0, n) for of, n in (("requests", 3), ("count", 7))],
            None,
            7,
            None,
            id="requests that wait are not used connections",
        ),
        pytest.param([metric("s", "http.server.active_requests", 0, 9), count(2)], 2, None, None, id="no pool's gauge"),
    ],
)
def test_a_pool_is_what_is_used_what_waits_and_its_limit(items, used, pending, limit):
    """Of several gauges of a kind the highest counts."""
    (pool,) = pools(items)
    assert (pool.used.after if pool.used else None) == used
    assert (pool.pending.after if pool.pending else None) == pending
    assert pool.limit == limit


def test_pools_are_told_apart_by_name_and_the_one_most_in_demand_comes_first():
    """In use and waited for together; a queue below zero is none."""
    waiting = metric("s", "db.client.connection.pending_requests", 0, 4, attributes={"pool.name": "b"})
    odd = metric("s", "db.client.connection.pending_requests", 0, -9, attributes={"pool.name": "c"})
    named = [count(5, pool="a"), count(2, pool="b"), count(4, pool="c"), waiting, odd]
    items = [
        item.model_copy(update={"attributes": {"pool.name": name}}) for item, name in zip(named[:3], "abc", strict=True)
    ]
    found = pools([*items, waiting, odd])
    assert [pool.used.after for pool in found] == [2, 5, 4]


def test_a_pool_and_its_requests_are_those_of_the_service_and_of_the_fault():
    """What others use and serve, and what was before the fault, says nothing about it."""
    theirs = count(9).model_copy(update={"service": "t"})
    ticks = [
        RedPoint(at=ONSET - timedelta(seconds=1), requests=100, errors=99),
        RedPoint(at=ONSET, requests=100, errors=50),
    ]
    own = red("s", "op", summary(100), summary(100)).model_copy(update={"series": tuple(ticks)})
    worse = (RedPoint(at=ONSET, requests=100, errors=99),)
    other = red("t", "op", summary(100), summary(100)).model_copy(update={"series": worse})
    found = bundle(theirs, count(2), own, other)
    assert pool_of(found, "s").used.after == 2
    assert pool_of(found, "nobody") is None
    assert demand(found, "s")[0] == 4.0


@pytest.mark.parametrize(("waiting", "needed"), [(None, 4.0), (1, 3.0), (2, 4.0), (3, 4.0), (-5, 2.0)], ids=str)
def test_connections_are_needed_for_what_is_served_and_at_most_for_what_waited(waiting, needed):
    """Two connections serve half of the requests; without a queue there is no bound."""
    queue = [] if waiting is None else [metric("s", "db.client.connection.pending_requests", 0, waiting)]
    items = [count(2), *queue, red("s", "op", summary(100), summary(100, 50))]
    assert demand(bundle(*items), "s")[0] == needed


def test_without_a_number_in_use_there_is_no_demand():
    """A queue alone tells only that connections are missing."""
    queue = metric("s", "db.client.connection.pending_requests", 0, 9)
    assert demand(bundle(queue, red("s", "op", summary(100), summary(100, 50))), "s") is None


def test_of_several_full_pools_the_one_most_in_demand_is_evidence():
    """One service has one culprit among its pools."""
    full = [count(number, limit=number, pool=name) for number, name in ((2, "a"), (5, "b"))]
    (found,) = find_full_pools(view(DEFAULTS, *full))
    assert "uses 5 of 5 connections" in found.claim.text

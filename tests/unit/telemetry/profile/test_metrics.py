"""Gauges of a fault against normal time: constant series, floors, and what moved most first."""

from telemetry.profile.metrics import moved
from telemetry.profile.rows import PointRow


def points(*values, metric="cpu.utilization", service="cart"):
    """Return points of one series."""
    return [PointRow(service, "cart-1", metric, "1", n, value) for n, value in enumerate(values)]


def test_a_constant_series_has_a_floor():
    """A utilization that never moved needs more than two hundredths; another gauge a tenth of itself."""
    assert moved(points(0.1, 0.1, 0.1), points(0.11)) == []
    assert moved(points(5.0, 5.0, metric="queue"), points(5.5, metric="queue")) == []
    (item,) = moved(points(0.1, 0.1, 0.1), points(0.9))
    assert (item.before, item.after, item.score) == (0.1, 0.9, 40.0)
    assert item.attributes == {"k8s.pod.name": "cart-1"}


def test_the_point_furthest_from_normal_speaks_for_the_fault():
    """A fault that begins late in its stretch is seen; a fall has a negative score; the furthest comes first."""
    normal = points(1.0, 1.1, 0.9, metric="a") + points(1.0, 1.1, 0.9, metric="b")
    found = moved(normal, points(1.0, 9.0, metric="a") + points(0.0, metric="b"))
    assert [(item.metric, item.after) for item in found] == [("a", 9.0), ("b", 0.0)]
    assert (found[1].score or 0) < 0


def test_without_normal_time_nothing_moved():
    """A series that is new has nothing to be compared with."""
    assert moved([], points(1.0)) == []


def test_gauges_of_equal_score_come_in_the_order_of_how_far_they_went():
    """Of two gauges that trebled the larger one comes first, whatever the services are called."""
    for far, near in (("a", "b"), ("b", "a")):
        normal = points(1.0, service=near) + points(2.0, service=far)
        found = moved(normal, points(3.0, service=near) + points(6.0, service=far))
        assert [(item.service, item.score) for item in found] == [(far, 20.0), (near, 20.0)]

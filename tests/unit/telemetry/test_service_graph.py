"""What is reached in the service graph."""

from telemetry.graph import Graph
from telemetry.state import Edge

EDGES = (("web", "a"), ("a", "mysql"), ("b", "mysql"), ("b", "b"))
GRAPH = Graph(Edge(caller, callee, "service", "default", "default") for caller, callee in EDGES)


def test_neighbours_are_counted_in_hops_in_both_directions():
    """Two services on one database are two hops apart; a node itself is zero hops away, known or not."""
    near = [GRAPH.near({"b"}, hops) for hops in range(4)]
    assert near == [{"b"}, {"b", "mysql"}, {"b", "mysql", "a"}, {"b", "mysql", "a", "web"}]
    assert GRAPH.near({"nowhere"}, 2) == {"nowhere"}


def test_neighbours_of_many_are_those_of_each():
    """The union comes of one look."""
    assert GRAPH.near({"web", "b"}, 1) == GRAPH.near({"web"}, 1) | GRAPH.near({"b"}, 1) == {"web", "a", "b", "mysql"}


def test_what_a_service_calls_is_below_it_and_what_nobody_else_calls_is_an_entry():
    """A service that calls itself is neither below itself nor less of an entry."""
    assert [GRAPH.below(service, 2) for service in ("web", "a", "b", "mysql")] == [
        {"a", "mysql"},
        {"mysql"},
        {"mysql"},
        set(),
    ]
    assert [service for service in ("web", "a", "b", "mysql") if GRAPH.is_entry(service)] == ["web", "b"]

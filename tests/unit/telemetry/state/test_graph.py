"""The service graph: who calls whom, told from pairs of spans in any order."""

from types import SimpleNamespace

import pytest

from telemetry.state import Edge, Limits, TelemetryState


def _send(state: TelemetryState, otlp: SimpleNamespace, service: str, *spans: object) -> None:
    state.add_traces("default", otlp.export(list(spans), otlp.resource(service)))


def _requests(state: TelemetryState, otlp: SimpleNamespace) -> dict[tuple[str, str, str], tuple[int, int]]:
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for edge in state.edges("default", "default"):
        red = state.edge_red(edge, otlp.T0 - 600, otlp.T0 + 600)
        found[(edge.caller, edge.callee, edge.callee_kind)] = (red.requests, red.errors)
    return found


@pytest.mark.parametrize("server_first", [False, True])
def test_client_and_server_span_make_an_edge_in_either_order(
    state: TelemetryState, otlp: SimpleNamespace, *, server_first: bool
) -> None:
    """The server span's parent is the client's span; the edge is measured at the caller."""
    client = ("gateway", otlp.span("GET", "client", trace=1, id=10, ms=80, error=True))
    server = ("quote", otlp.span("GET /q", "server", trace=1, id=11, parent=10, ms=20))
    for service, span in (server, client) if server_first else (client, server):
        _send(state, otlp, service, span)
    assert _requests(state, otlp) == {("gateway", "quote", "service"): (1, 1)}
    red = state.edge_red(Edge("gateway", "quote", "service"), otlp.T0, otlp.T0 + 5)
    assert red.p50_ms == pytest.approx(80, rel=0.01)


@pytest.mark.parametrize(
    ("attributes", "node"),
    [
        ({"db__system__name": "postgresql", "server__address": "db", "server__port": 5432}, "postgresql:db:5432"),
        ({"db__system": "redis", "net__peer__name": "cache"}, "redis:cache"),
        ({"db__system": "sqlite"}, "sqlite"),
    ],
)
def test_a_database_is_a_node_under_stable_and_older_names(
    state: TelemetryState, otlp: SimpleNamespace, attributes: dict[str, str | int], node: str
) -> None:
    """A database sends no spans of its own: its client names it."""
    _send(state, otlp, "quote", otlp.span("SELECT", "client", **attributes))
    assert _requests(state, otlp) == {("quote", node, "database"): (1, 0)}


def test_a_queue_stands_between_producer_and_consumer(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """Both sides name the queue, so that it links them."""
    queue = {"messaging__system": "kafka", "server__address": "broker"}
    _send(state, otlp, "shop", otlp.span("send orders", "producer", **queue))
    _send(state, otlp, "billing", otlp.span("process orders", "consumer", error=True, **queue))
    assert _requests(state, otlp) == {
        ("shop", "kafka:broker", "queue"): (1, 0),
        ("kafka:broker", "billing", "service"): (1, 1),
    }


def test_a_call_that_nobody_answers_becomes_external_after_the_ttl(otlp: SimpleNamespace) -> None:
    """The other half is waited for, then the address is all there is."""
    state = TelemetryState(Limits(pair_ttl_s=30))
    _send(state, otlp, "quote", otlp.span("POST", "client", server__address="api.example.com", server__port=443))
    assert _requests(state, otlp) == {}
    for second in range(0, 75, 15):
        _send(state, otlp, "quote", otlp.span("tick", "internal", at_s=otlp.T0 + second))
    assert _requests(state, otlp) == {("quote", "api.example.com:443", "external"): (1, 0)}


def test_a_callee_that_goes_down_keeps_its_edge_by_its_address(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """A dead service sends no server spans: failed calls to its known address count at once."""
    address = {"server__address": "pricing", "server__port": 8080}
    _send(state, otlp, "quote", otlp.span("GET", "client", trace=1, id=10, **address))
    _send(state, otlp, "pricing", otlp.span("GET /price", trace=1, id=11, parent=10))
    _send(state, otlp, "quote", otlp.span("GET", "client", trace=2, id=20, error=True, **address))
    assert _requests(state, otlp) == {("quote", "pricing", "service"): (2, 1)}


def test_an_address_with_several_services_behind_it_is_not_guessed(
    state: TelemetryState, otlp: SimpleNamespace
) -> None:
    """A gateway's address tells nothing about who failed behind it."""
    address = {"server__address": "mesh"}
    for number, callee in enumerate(("pricing", "stock"), start=1):
        _send(state, otlp, "quote", otlp.span("GET", "client", trace=number, id=number, **address))
        _send(state, otlp, callee, otlp.span("GET /", trace=number, id=100 + number, parent=number))
    _send(state, otlp, "quote", otlp.span("GET", "client", error=True, **address))
    assert _requests(state, otlp) == {
        ("quote", "pricing", "service"): (1, 0),
        ("quote", "stock", "service"): (1, 0),
    }


def test_one_span_name_may_lead_to_several_peers(state: TelemetryState, otlp: SimpleNamespace) -> None:
    """What a name led to is remembered but looked up again, so that a second database is found."""
    for number in range(200):
        host = ("primary", "replica")[number % 2]
        _send(state, otlp, "quote", otlp.span("SELECT", "client", db__system="mysql", server__address=host))
    nodes = {edge.callee for edge in state.edges("default", "default")}
    assert nodes == {"mysql:primary", "mysql:replica"}
    assert sum(requests for requests, _ in _requests(state, otlp).values()) == 200


def test_waiting_halves_are_bounded_and_counted(otlp: SimpleNamespace) -> None:
    """Halves that never find each other do not grow without end."""
    state = TelemetryState(Limits(max_pairs=20))
    _send(state, otlp, "quote", *(otlp.span("GET /", parent=1_000_000 + n) for n in range(100)))
    assert state.dropped["pairs_early"] >= 70


def test_edges_beyond_the_cap_are_dropped_and_counted(otlp: SimpleNamespace) -> None:
    """Peers are named by spans, so that their number needs a bound."""
    state = TelemetryState(Limits(max_edges=2))
    for number in range(5):
        span = otlp.span(f"SELECT {number}", "client", db__system="mysql", server__address=f"db{number}")
        _send(state, otlp, "quote", span)
    assert len(state.edges("default", "default")) == 2
    assert state.dropped == {"edges": 3}

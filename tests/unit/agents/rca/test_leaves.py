"""Where the exemplar error traces end: in the service that failed, or in the one it waited for."""

from agents.rca import rank
from agents.rca.errors import find_leaves
from agents.rca.parameters import DEFAULTS
from agents.rca.view import view_of
from agents.testing.builders import bundle, edge, red, span, summary, trace
from agents.testing.scenarios import PRICE, QUOTE, latency_spike, pool_exhaustion
from telemetry.model import EvidenceBundle


def leaves(evidence: EvidenceBundle) -> dict[str, float]:
    """Return the weight of each service in which error traces end."""
    return {found.service: found.weight for found in find_leaves(view_of(evidence, DEFAULTS))}


def test_a_trace_ends_in_the_deepest_failing_service():
    """The gateway's error has an error below it."""
    assert leaves(pool_exhaustion()) == {"quote": DEFAULTS.w_leaf}


def test_a_call_that_timed_out_ends_in_the_slow_callee():
    """The caller's span fails first; the callee's, still running, does not fail at all."""
    assert leaves(latency_spike()) == {"pricing": DEFAULTS.w_leaf}


def timed_out(price_ms: float) -> EvidenceBundle:
    """Return one call of quote that failed while pricing takes `price_ms`."""
    return bundle(
        red("quote", QUOTE, summary(3600, 0, 256), summary(480, 400, 120)),
        red("pricing", PRICE, summary(3600, 0, 213), summary(480, 0, price_ms)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(480, 400, 101)),
        trace(
            "error",
            span(1, None, "quote", QUOTE, "server", 120, 18, error=""),
            span(2, 1, "quote", PRICE, "client", 101, 0, error="httpx.ReadTimeout"),
            span(3, 2, "pricing", PRICE, "server", price_ms, price_ms),
        ),
    )


def test_a_call_given_up_too_early_ends_in_the_caller():
    """A callee that is as fast as before is not to blame."""
    assert leaves(timed_out(price_ms=214)) == {"quote": DEFAULTS.w_leaf}
    assert leaves(timed_out(price_ms=900)) == {"pricing": DEFAULTS.w_leaf}


def test_traces_alone_move_the_score_of_where_they_end():
    """Each of several traces has its share."""
    one = trace("error", span(1, None, "quote", QUOTE, "server", 10, 10, error="KeyError"))
    two = trace("error", span(1, None, "pricing", PRICE, "server", 10, 10, error="KeyError"))
    evidence = bundle(one, one, one, two)
    assert leaves(evidence) == {"quote": DEFAULTS.w_leaf * 0.75, "pricing": DEFAULTS.w_leaf * 0.25}
    assert [candidate.service for candidate in rank(evidence)] == ["quote"]

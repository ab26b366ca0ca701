"""Times and flows in the evidence table and in the dashboard's lines."""

from agents.testing.builders import bundle
from bot.comments.evidence import evidence_table
from bot.evidence_text import evidence_text
from telemetry.model import FlowEvidence, Followed, TimeEvidence, Times


def times(ms):
    """Return the times of ten calls."""
    return Times(count=10, p50_ms=ms, p75_ms=ms, p90_ms=2 * ms)


WAY = TimeEvidence(
    id="E1", measure="way", caller="quote", service="cart", operation="GET /", before=times(3), after=times(203)
)
OWN = WAY.model_copy(update={"id": "E2", "measure": "own", "caller": None})
FLOW = FlowEvidence(
    id="E3",
    source="logs",
    service="cart",
    operation="GET /",
    step="Cart#1",
    usual="Cart#2",
    instead="$",
    before=Followed(usual=9, instead=0, total=9),
    after=Followed(usual=1, instead=7, total=8),
)
CALL = FLOW.model_copy(update={"id": "E4", "source": "spans", "usual": "", "instead": "audit"})


def test_times_and_flows_are_rows_of_the_table():
    """Each has what it is, how it was and how it is."""
    text = evidence_table(bundle(WAY, OWN, FLOW, CALL))
    assert "the way from quote to cart" in text
    assert "own time of cart" in text
    assert "9 of 9 times" in text
    assert "7 of 8 times" in text


def test_times_and_flows_are_lines_of_the_dashboard():
    """The same in one plain line."""
    assert evidence_text(WAY) == "way from quote to cart GET /: 203.0 ms at p50; before: 3.0 ms"
    assert evidence_text(FLOW) == "cart GET /: Cart#1 → Cart#2 in 1 of 8; before: 9 of 9"
    assert evidence_text(CALL) == "cart GET /: Cart#1 → audit in 7 of 8; before: 0 of 9"

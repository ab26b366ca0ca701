"""Changed flows: what is a fault, what is another mix of requests, and what is a recovery."""

import pytest

from agents.diagnosis import CauseKind
from agents.rca.flows import flow_kind, flow_strength, flow_text, log_odds_shift, region
from agents.rca.parameters import DEFAULTS
from telemetry.model import FlowEvidence, Followed


def flow(before, after, windows=(), source="logs", usual="Quote#12", instead="Quote#17", **fields):
    """Return a flow after the step Quote#10; counts are (usual, instead, total)."""
    counts = [Followed(usual=u, instead=i, total=t) for u, i, t in (before, after, *windows)]
    return FlowEvidence(
        id="E1",
        source=source,
        service="quote",
        operation="GET /quote",
        step="Quote#10",
        usual=usual,
        instead=instead,
        before=counts[0],
        after=counts[1],
        windows=tuple(counts[2:]),
        **fields,
    )


def strength(item):
    """Return the strength of a flow with the parameters as they are."""
    return flow_strength(item, DEFAULTS)


def test_a_way_never_taken_before_is_a_fault():
    """Every request leaving the usual way counts in full, a few of many hardly."""
    assert strength(flow((100, 0, 100), (0, 20, 20))) == 1.0
    assert strength(flow((100, 0, 100), (19, 1, 20))) < 0.2


def test_a_way_that_is_often_taken_is_another_mix_of_requests():
    """A shift between two ways of normal time is no fault, however sure it is."""
    assert strength(flow((600, 400, 1000), (100, 900, 1000))) == 0.0


def test_a_return_to_the_usual_way_is_no_fault():
    """An error that is gone, or an early end that came no more, is a recovery."""
    assert strength(flow((10, 20, 30), (0, 30, 30), usual="Quote#99", usual_severity=17, severity=9)) == 0.0
    assert strength(flow((20, 0, 20), (0, 20, 20), usual="$", severity=9)) == 0.0


def test_an_error_is_judged_by_the_window_that_knew_it_least():
    """An earlier fault that goes on in one normal window hides the next one by its share only."""
    windows = [(20, 0, 20), (0, 20, 20)]
    assert strength(flow((20, 20, 40), (0, 20, 20), windows, severity=17)) == 1.0
    assert strength(flow((20, 20, 40), (0, 20, 20), windows, severity=9)) == 0.0


def test_a_call_left_out_counts_only_where_it_is_usually_made():
    """Work that four of five requests do is work that must be done."""
    assert strength(flow((98, 2, 100), (0, 30, 30), source="spans", instead="")) > 0.9
    assert strength(flow((50, 50, 100), (0, 30, 30), source="spans", instead="")) == 0.0


def test_the_shift_is_a_lower_bound():
    """More of the same evidence is surer evidence; a fall is none."""
    assert 0 < log_odds_shift((0, 10), (5, 5)) < log_odds_shift((0, 100), (50, 50))
    assert log_odds_shift((5, 10), (1, 10)) == 0.0


@pytest.mark.parametrize(
    ("last", "source", "kind"),
    [(20, "logs", CauseKind.EXCEPTION), (0, "logs", CauseKind.MISSING_WORK), (0, "status", CauseKind.EXCEPTION)],
)
def test_kind_is_exception_where_work_breaks_off_or_fails(last, source, kind):
    """Ending at the step is an exception, taking another way is missing work."""
    item = flow((100, 0, 100), (0, 20, 20), source=source)
    item = item.model_copy(update={"after": item.after.model_copy(update={"last": last})})
    assert flow_kind(item, DEFAULTS) is kind


def test_region_and_words_name_the_step_and_what_followed():
    """The code region is the step and its usual successor; the claim has the shares."""
    item = flow((100, 0, 100), (0, 20, 20))
    assert region(item) == "Quote#10_Quote#12"
    assert "Quote#17 follows in 100 % of 20 cases (0 % of 100 before)" in flow_text(item)
    start = item.model_copy(update={"step": "^GET /quote"})
    assert region(start) == "GET /quote start_Quote#12"

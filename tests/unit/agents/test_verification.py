"""Did the fix work: each condition under which windows count as well, and the sentence about them."""

from datetime import timedelta

import pytest

from agents.testing.builders import ONSET, anomaly, bundle, edge, incident, red, signal, summary
from agents.verification import (
    SERIES_TOLD,
    Watch,
    healthy_run,
    healthy_windows,
    impact_stopped,
    judgement,
    watched,
)
from telemetry.model import Detector, Health, SeriesKey, SliReport, SliWindow

MARKS = {"+": Health.HEALTHY, "-": Health.UNHEALTHY, ".": Health.NO_DATA}


def report(marks: str, service: str = "quote", *, saturated: bool = False, errors: int = 0) -> SliReport:
    """Return a report with a window of 10 s per mark: `+` healthy, `-` unhealthy, `.` without data."""
    windows = tuple(
        SliWindow(
            start=ONSET + timedelta(seconds=10 * number),
            end=ONSET + timedelta(seconds=10 * number + 10),
            health=MARKS[mark],
            requests=0 if mark == "." else 100,
            errors=errors,
        )
        for number, mark in enumerate(marks)
    )
    key = SeriesKey(service=service, operation="GET /")
    return SliReport(key=key, baseline_error_ratio=0.0, windows=windows, saturated=saturated)


def seen(marks: str, *, broken: bool = True, **changes: object) -> tuple[Watch, SliReport]:
    """Return a watched series with its report."""
    found = report(marks, **changes)
    return Watch(key=found.key, broken=broken), found


@pytest.mark.parametrize(
    ("marks", "length"),
    [("", 0), ("+", 1), ("-", 0), (".", 0), ("+++", 3), ("-++", 2), (".++", 2), ("+-+", 1), ("+.+", 1), ("++-", 0)],
)
def test_a_healthy_run_is_the_newest_windows_without_a_break(marks, length):
    """Unhealthy windows and windows without data both end it."""
    found = report(marks)
    assert healthy_run(found) == found.windows[len(marks) - length :]


@pytest.mark.parametrize(
    ("reports", "good"),
    [
        pytest.param([seen("+++")], 3, id="one broken series is well"),
        pytest.param([seen("+++"), seen("-+")], 1, id="the worst broken series counts"),
        pytest.param([seen("-+"), seen("+++")], 1, id="in any order"),
        pytest.param([seen("+++"), seen("")], 0, id="a broken series without a report"),
        pytest.param([], 0, id="nothing is watched"),
        pytest.param([seen("+++", broken=False)], 0, id="no broken series"),
        pytest.param([seen("+++"), seen("-", broken=False)], 0, id="a neighbour is unwell"),
        pytest.param([seen("+++"), seen("+", broken=False), seen("-", broken=False)], 0, id="one neighbour of two"),
        pytest.param([seen("+++"), seen("-+", broken=False)], 3, id="a neighbour is well again"),
        pytest.param([seen("+++"), seen("+-", broken=False)], 0, id="a neighbour has become unwell"),
        pytest.param([seen("+++"), seen(".", broken=False)], 3, id="a neighbour is silent"),
        pytest.param([seen("+++"), seen("", broken=False)], 3, id="a neighbour without a report"),
        pytest.param([seen("+++", saturated=True)], 0, id="a saturated pool"),
        pytest.param([seen("+++"), seen("+++", saturated=True)], 0, id="one saturated pool of two"),
        pytest.param([seen("+++"), seen("+", broken=False, saturated=True)], 0, id="a neighbour's saturated pool"),
    ],
)
def test_windows_count_while_all_broken_series_are_well_and_no_neighbour_is_unwell(reports, good):
    """What was not seen has not recovered; a neighbour need not have traffic."""
    assert healthy_windows(reports) == good


@pytest.mark.parametrize(
    ("reports", "after_s"),
    [
        ([seen("-++")], 10),
        ([seen("-++"), seen("--+")], 20),
        ([seen("--+"), seen("-++")], 20),
        ([seen("+++"), seen("--+", broken=False)], 0),
        ([seen("-")], None),
        ([], None),
    ],
)
def test_the_impact_stopped_with_the_first_healthy_window_of_the_last_broken_series(reports, after_s):
    """Neighbours do not count, and an unhealthy series has no such window."""
    assert impact_stopped(reports) == (None if after_s is None else ONSET + timedelta(seconds=after_s))


def test_the_series_of_anomalies_are_watched_and_those_of_the_evidence_that_had_traffic():
    """Each once, in the order of their names; edges and series without requests before are left out."""
    evidence = bundle(
        red("quote", "GET /quote", summary(100, 0, 10), summary(100, 50, 10)),
        red("pricing", "GET /price", summary(1, 0, 10), summary(0)),
        red("new", "GET /", summary(0), summary(100, 0, 10)),
        edge("quote", "tax", summary(100, 0, 10), summary(100, 0, 10)),
    )
    found = watched(incident(signal(evidence, anomaly("quote", "GET /quote", Detector.ERRORS, "bad"))))
    assert [(watch.key.service, watch.broken) for watch in found] == [("pricing", False), ("quote", True)]
    assert watched(incident(None)) == ()


def test_neighbours_are_watched_in_the_tenant_and_the_environment_of_the_incident():
    """Another tenant's service of the same name says nothing."""
    evidence = bundle(red("pricing", "GET /price", summary(1, 0, 10), summary(0)))
    found = incident(signal(evidence, anomaly("quote", "GET /quote", Detector.ERRORS, "bad")))
    neighbour = watched(found.evolve(tenant="acme", environment="production"))[0]
    assert neighbour.key == SeriesKey(
        tenant="acme", environment="production", service="pricing", operation="GET /price"
    )


def test_the_verdict_tells_of_the_newest_window_of_each_broken_series():
    """Neighbours and series without windows are left out."""
    reports = [seen("+-", errors=40), seen("+", service="pricing", broken=False), seen("", service="tax")]
    assert judgement(reports) == "quote 40 of 100 requests failed"
    assert judgement([seen("")]) == judgement([]) == "no traffic was seen"


def test_the_verdict_tells_the_number_of_the_newest_window_only():
    """Older windows had other numbers."""
    watch, found = seen("--")
    older, newer = found.windows
    windows = (older.model_copy(update={"errors": 90}), newer.model_copy(update={"errors": 3, "p95_ms": 12.4}))
    told = judgement([(watch, found.model_copy(update={"windows": windows}))])
    assert told == "quote 3 of 100 requests failed, p95 12 ms"


@pytest.mark.parametrize("more", [0, 1])
def test_eight_series_are_told_in_their_order_and_of_more_the_worst(more):
    """The ninth is counted only; one without requests is not among the worst."""
    count = SERIES_TOLD + more
    assert SERIES_TOLD == 8
    silent = [seen(".", service="silent")]
    told = judgement([*silent, *(seen("-", service=f"s{number}", errors=number + 1) for number in range(count - 1))])
    if more:
        worst = [f"s{number} {number + 1} of 100 requests failed" for number in reversed(range(count - 1))]
        assert told == "; ".join([*worst, "and 1 more series"])
    else:
        listed = [f"s{number} {number + 1} of 100 requests failed" for number in range(count - 1)]
        assert told == "; ".join(["silent 0 of 0 requests failed", *listed])


def test_the_worst_series_is_that_with_the_highest_share_of_errors():
    """A few errors of few requests are worse than many of very many."""
    reports = [seen("-", service=f"s{number}", errors=20) for number in range(SERIES_TOLD)]
    watch, found = seen("-", service="small", errors=5)
    small = found.model_copy(update={"windows": (found.windows[0].model_copy(update={"requests": 10}),)})
    told = judgement([*reports, (watch, small)])
    assert told.startswith("small 5 of 10 requests failed; s0 20 of 100")

"""What customers ask for and how they were served."""

import random
from urllib.parse import parse_qs, urlsplit

from infra.sandbox.traffic import BULK_RATIO, Answer, Statistics, quote_path, summarize


def test_customers_ask_for_bulk_lines_as_often_as_stated() -> None:
    """A fault in bulk discounts hits a known share of the traffic."""
    rng = random.Random(1)
    queries = [parse_qs(urlsplit(quote_path(rng)).query) for _ in range(2000)]
    bulk = sum(int(query["quantity"][0]) >= 10 for query in queries)
    assert abs(bulk / 2000 - BULK_RATIO) < 0.05


def test_errors_and_lost_answers_count_as_failed() -> None:
    """A customer without a quote is a failure, whatever the reason."""
    summary = summarize([Answer(0, 10, 200), Answer(0, 20, 500), Answer(0, 30, 0), Answer(0, 40, 200)])
    assert summary.failed == 2
    assert summary.error_ratio == 0.5
    assert summary.statuses == {"0": 1, "200": 2, "500": 1}


def test_percentiles_are_durations_that_were_measured() -> None:
    """Nearest rank: 95 of 100 answers took at most the 95th percentile."""
    summary = summarize([Answer(0, float(ms), 200) for ms in range(1, 101)])
    assert summary.p50_ms == 50
    assert summary.p95_ms == 95


def test_no_answers_have_no_errors() -> None:
    """Silence is summed up as zero requests."""
    assert summarize([]).requests == 0
    assert summarize([]).error_ratio == 0.0


def test_recent_answers_are_forgotten_after_ten_seconds_but_stay_counted() -> None:
    """The window shows now, the totals show the run."""
    statistics = Statistics()
    statistics.add(Answer(0.0, 10, 500))
    statistics.add(Answer(12.0, 10, 200))
    assert statistics.recent(12.0).requests == 1
    assert statistics.requests == 2
    assert statistics.statuses() == {"200": 1, "500": 1}

"""D3: every row of the burn-rate table, in event time."""

import pytest

from telemetry.detect import Closing, DetectConfig
from telemetry.detect.burn import BurnCounter, BurnMonitor
from telemetry.detect.config import BURN_ROWS, BurnRow
from telemetry.model import AnomalyState, Detector, SeriesKey

CONFIG = DetectConfig(tick_s=60)
KEY = SeriesKey(service="quote", operation="GET /quote")
CLOSING = Closing(CONFIG.close_after_s)
OBJECTIVE = 0.99
REQUESTS = 6000


def _run(monitor: BurnMonitor, start_min: int, minutes: int, burn: float, closing: Closing = CLOSING) -> None:
    bad = round(REQUESTS * burn * (1 - OBJECTIVE))
    for minute in range(start_min, start_min + minutes):
        monitor.step(60 * minute, REQUESTS, bad, closing)


def _monitor(*rows: BurnRow) -> BurnMonitor:
    return BurnMonitor("SLO availability", OBJECTIVE, DetectConfig(tick_s=60, burn_rows=rows or BURN_ROWS))


@pytest.mark.parametrize("row", BURN_ROWS, ids=lambda row: f"{row.factor}x")
def test_row_fires_on_a_series_that_crosses_it(row: BurnRow):
    """A tenth above the factor for the whole long window is confirmed with the row's severity, and says so."""
    monitor = _monitor(row)
    _run(monitor, 0, row.long_min + 1, 1.1 * row.factor)
    found = monitor.finding(KEY)
    assert found is not None
    assert (found.detector, found.state, found.severity) == (Detector.BURN_RATE, AnomalyState.CONFIRMED, row.severity)
    assert f"{row.factor:g} is the limit" in found.reason


@pytest.mark.parametrize("row", BURN_ROWS, ids=lambda row: f"{row.factor}x")
def test_row_is_silent_on_a_series_that_stays_below(row: BurnRow):
    """A tenth below the factor confirms nothing, however long it lasts."""
    monitor = _monitor(row)
    _run(monitor, 0, row.long_min + row.short_min, 0.9 * row.factor)
    assert monitor.finding(KEY) is None


@pytest.mark.parametrize("row", BURN_ROWS, ids=lambda row: f"{row.factor}x")
def test_row_needs_both_windows(row: BurnRow):
    """A fault that is over, and one that has only begun, fire nothing: one window alone is not enough."""
    over = _monitor(row)
    _run(over, 0, row.long_min // 2, 0.0)
    _run(over, row.long_min // 2, row.long_min // 4, 0.9 * row.factor)
    assert over.finding(KEY) is None
    begun = _monitor(row)
    _run(begun, 0, row.long_min, 0.0)
    _run(begun, row.long_min, row.short_min // 2, 1.5 * row.factor)
    assert not begun.life.is_open


def test_anomaly_closes_when_the_short_window_is_below():
    """After a page, five good minutes and the running one end it."""
    page = BURN_ROWS[0]
    monitor = _monitor(page)
    _run(monitor, 0, 61, 30.0)
    assert monitor.life.is_open
    _run(monitor, 61, page.short_min + 2, 0.0)
    assert monitor.life.state is AnomalyState.CLOSED


def test_no_traffic_never_closes_it():
    """Without requests there is no burn rate to be below the limit."""
    monitor = _monitor()
    _run(monitor, 0, 61, 30.0)
    for minute in range(61, 200):
        monitor.step(60 * minute, 0, 0, CLOSING)
    assert monitor.life.is_open


def test_few_events_say_nothing():
    """Nineteen requests of which all fail are below the minimum of a window."""
    monitor = _monitor()
    monitor.step(0, 19, 19, CLOSING)
    assert monitor.life.state is None


def test_minutes_of_history_do_not_speak_for_three_days():
    """Twice the budget's pace in the first ten minutes is no ticket of the 3 d window."""
    monitor = _monitor(BURN_ROWS[3])
    _run(monitor, 0, 10, 2.0)
    assert not monitor.life.is_open


def test_maintenance_spends_no_budget():
    """An hour of planned outage leaves nothing behind."""
    monitor = _monitor()
    _run(monitor, 0, 60, 0.0)
    _run(monitor, 60, 60, 90.0, Closing(CONFIG.close_after_s, maintenance=True))
    _run(monitor, 120, 5, 0.0)
    assert monitor.life.state is None


def test_counter_forgets_what_is_older_than_its_window():
    """Gaps count as empty minutes, also those longer than the ring."""
    counter = BurnCounter(10)
    counter.add(0, 100, 10)
    counter.add(60 * 5, 50, 5)
    assert counter.over(10)[:2] == (150, 15)
    assert counter.over(2)[:2] == (50, 5)
    counter.add(60 * 12, 1, 0)
    assert counter.over(10)[:2] == (51, 5)
    counter.add(60 * 100, 1, 1)
    assert counter.over(10) == (1, 1, 1.0)

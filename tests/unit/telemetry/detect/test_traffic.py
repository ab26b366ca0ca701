"""D4: drops, surges and silence, in event time."""

import math
from random import Random

import pytest

from telemetry.detect import Closing, DetectConfig
from telemetry.detect.traffic import Flow, TrafficMonitor
from telemetry.detect.usual import UsualTraffic
from telemetry.model import AnomalyState, SeriesKey, Severity

CONFIG = DetectConfig()
KEY = SeriesKey(service="quote", operation="GET /quote")
CLOSING = Closing(CONFIG.close_after_s)
PLANNED = Closing(CONFIG.close_after_s, maintenance=True)
HOUR_S = 3600


class Run:
    """A monitor that is fed tick by tick; counts are normal with Poisson's variance."""

    def __init__(self, seed: int = 1) -> None:
        self.random = Random(seed)
        self.monitor = TrafficMonitor(CONFIG)
        self.at_s = 0

    def feed(self, seconds: int, rps: float, *, alive: bool = True, closing: Closing = CLOSING) -> int | None:
        """Let time pass and return after how many seconds something was confirmed."""
        came: int | None = None
        began_s = self.at_s
        while self.at_s < began_s + seconds:
            expected = rps * CONFIG.tick_s
            requests = max(0, round(self.random.gauss(expected, math.sqrt(expected))))
            was_open = self.monitor.is_open
            self.monitor.step(Flow(self.at_s, requests, alive), 1, closing)
            self.at_s += CONFIG.tick_s
            if self.monitor.is_open and not was_open and came is None:
                came = self.at_s - began_s
        return came


@pytest.mark.parametrize("rps", [1.0, 20.0])
def test_drop_to_a_third_is_confirmed_on_the_first_day(rps: float):
    """The last hour is enough to see it within minutes."""
    run = Run()
    assert run.feed(2 * HOUR_S, rps) is None
    came = run.feed(300, rps / 3)
    assert came is not None
    assert came >= CONFIG.traffic_drop_lasts_s
    (found,) = run.monitor.findings(KEY)
    assert (found.state, found.severity) == (AnomalyState.CONFIRMED, Severity.MEDIUM)
    assert found.onset_s <= 2 * HOUR_S + 10


def test_silence_is_confirmed_while_other_services_report():
    """No request at all hurts more than few."""
    run = Run()
    run.feed(2 * HOUR_S, 5)
    assert run.feed(300, 0) is not None
    (found,) = run.monitor.findings(KEY)
    assert found.severity is Severity.HIGH
    assert "while other services report" in found.reason


def test_silence_of_everything_is_no_data():
    """When nothing reports it is the pipeline: no alarm, and an open one is not healed."""
    run = Run()
    run.feed(2 * HOUR_S, 5)
    assert run.feed(HOUR_S, 0, alive=False) is None
    run.feed(300, 0)
    assert run.monitor.is_open
    run.feed(HOUR_S, 0, alive=False)
    assert run.monitor.is_open


def test_return_of_traffic_closes_a_drop():
    """Five minutes of the usual rate."""
    run = Run()
    run.feed(2 * HOUR_S, 5)
    run.feed(300, 0)
    assert run.monitor.is_open
    run.feed(CONFIG.close_after_s + 2 * CONFIG.traffic_window_s, 5)
    assert run.monitor.drop.life.state is AnomalyState.CLOSED


def test_short_dip_confirms_nothing():
    """A restart of half a minute is no drop."""
    run = Run()
    run.feed(2 * HOUR_S, 20)
    assert run.feed(30, 0) is None
    assert run.feed(HOUR_S, 20) is None


def test_series_with_few_requests_is_not_judged():
    """One request in 20 s may stay away for an hour."""
    run = Run()
    run.feed(2 * HOUR_S, 0.05)
    assert run.feed(HOUR_S, 0) is None


def test_surge_is_confirmed_once_a_day_is_known():
    """Five minutes of three times the usual rate; on the first day it could be the morning."""
    run = Run()
    run.feed(2 * HOUR_S, 5)
    assert run.feed(600, 15) is None
    run = Run()
    run.feed(25 * HOUR_S, 5)
    came = run.feed(900, 15)
    assert came is not None
    assert came >= CONFIG.traffic_surge_lasts_s
    assert run.monitor.findings(KEY)[0].severity is Severity.LOW


def test_hour_of_the_week_is_usual_after_a_week():
    """A weekly silent hour is expected the week after, and its busy hours are not taken for a surge."""
    usual = UsualTraffic(DetectConfig(tick_s=60))
    for hour in range(2 * 168):
        for tick in range(0, HOUR_S, 60):
            usual.learn(HOUR_S * hour + tick, 0 if hour % 168 == 100 else 50)
    assert usual.hours.keys() == set(range(168))
    middle = usual.at(HOUR_S * (2 * 168 + 100) + HOUR_S // 2)
    assert middle is not None
    assert middle.low < 0.1
    assert usual.hours[99][0] > 0.8


def test_new_level_becomes_usual_after_hours():
    """A drop that lasts for six hours is the new normal; the anomaly is over and does not flap."""
    run = Run()
    run.feed(2 * HOUR_S, 20)
    run.feed(600, 5)
    assert run.monitor.is_open
    run.feed(CONFIG.traffic_new_normal_s, 5)
    assert not run.monitor.is_open
    assert run.feed(2 * HOUR_S, 5) is None


def test_maintenance_confirms_and_teaches_nothing():
    """What is silent on purpose is suspect at most, and is not learned."""
    run = Run()
    run.feed(2 * HOUR_S, 20)
    before = list(run.monitor.usual.recent)
    assert run.feed(HOUR_S, 0, closing=PLANNED) is None
    assert list(run.monitor.usual.recent) == before


def test_bursty_clients_do_not_look_like_a_drop():
    """A batch every minute: the dispersion is learned, and silence between batches stays quiet."""
    run = Run()
    for minute in range(240):
        for tick in range(12):
            run.monitor.step(Flow(60 * minute + 5 * tick, 600 if tick == 0 else 0, alive=True), 1, CLOSING)
            assert not run.monitor.is_open
    assert run.monitor.usual.dispersion > 100

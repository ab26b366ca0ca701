"""D1 and D2 on synthetic series: what confirms, how fast, and what does not."""

from collections.abc import Callable

import pytest

from telemetry.detect import Closing, DetectConfig
from telemetry.detect.series import SeriesMonitor
from telemetry.detect.shift import ShiftDetector
from telemetry.model import AnomalyState, Health, SeriesKey
from telemetry.state import Cell
from telemetry.testing import CellMaker

CONFIG = DetectConfig()
KEY = SeriesKey(service="quote", operation="GET /quote")
QUIET = 0.0005
CLOSING = Closing(CONFIG.close_after_s)
SEEDS = range(5)

Traffic = Callable[[int], Cell | None]


class Run:
    """A monitor that is fed tick by tick."""

    def __init__(self, seed: int, rate_rps: float, config: DetectConfig = CONFIG) -> None:
        self.maker = CellMaker(seed, rate_rps)
        self.monitor = SeriesMonitor(KEY, config)
        self.at_s = 0

    def feed(self, seconds: int, traffic: Traffic, closing: Closing = CLOSING) -> int | None:
        """Let time pass and return after how many seconds an anomaly was confirmed, None when there is none."""
        came: int | None = None
        for passed in range(0, seconds, CONFIG.tick_s):
            was_open = self.monitor.is_open
            self.monitor.step(self.at_s, traffic(self.at_s), 1, closing)
            self.at_s += CONFIG.tick_s
            if self.monitor.is_open and not was_open and came is None:
                came = passed + CONFIG.tick_s
        return came

    def calm(self, seconds: int, closing: Closing = CLOSING) -> int | None:
        """Feed quiet traffic."""
        return self.feed(seconds, lambda at_s: self.maker.cell(at_s, QUIET), closing)

    def failing(self, seconds: int, ratio: float) -> int | None:
        """Feed traffic of which a share fails."""
        return self.feed(seconds, lambda at_s: self.maker.cell(at_s, ratio))

    def slow(self, seconds: int, extra_ms: float, ratio: float = 1.0) -> int | None:
        """Feed traffic of which a share is slower."""
        return self.feed(seconds, lambda at_s: self.maker.cell(at_s, QUIET, extra_ms, ratio))

    def silent(self, seconds: int) -> int | None:
        """Feed no traffic."""
        return self.feed(seconds, lambda _: None)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("warm_s", [25, 600])
def test_total_outage_is_confirmed_within_25_seconds(seed: int, warm_s: int):
    """At 20 rps, also when the service has been seen for 25 s only."""
    run = Run(seed, 20)
    run.calm(warm_s)
    came = run.failing(60, 1.0)
    assert came is not None
    assert 10 < came <= 25
    assert run.monitor.errors.life.onset_s in (warm_s - 5, warm_s)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("rate_rps", "ratio", "within_s"), [(20, 0.2, 35), (12, 0.5, 25), (12, 0.2, 35), (2, 0.5, 45)])
def test_partial_outage_is_confirmed(seed: int, rate_rps: float, ratio: float, within_s: int):
    """Half or a fifth of the requests failing is an incident soon."""
    run = Run(seed, rate_rps)
    run.calm(600)
    came = run.failing(120, ratio)
    assert came is not None
    assert came <= within_s


@pytest.mark.parametrize("seed", SEEDS)
def test_slow_service_is_confirmed_after_25_seconds_of_history(seed: int):
    """At 12 rps, 25 s of traffic are enough of a baseline to see that everything takes 300 ms longer."""
    run = Run(seed, 12)
    run.calm(25)
    came = run.slow(60, 300)
    assert came is not None
    assert came <= 25
    assert run.monitor.latency.life.is_open
    assert not run.monitor.errors.life.is_open


@pytest.mark.parametrize("seed", range(2))
def test_quiet_hour_confirms_nothing(seed: int):
    """12 rps with 0.05 % errors, from the first second on."""
    assert Run(seed, 12).calm(3600) is None


@pytest.mark.parametrize("seed", range(3))
def test_quiet_hour_of_a_service_with_few_requests_confirms_nothing(seed: int):
    """One request in five seconds makes no baseline worth an alarm."""
    assert Run(seed, 0.2).calm(3600) is None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("seconds", [5, 10])
@pytest.mark.parametrize("warm_s", [25, 120])
def test_short_blip_confirms_nothing(seed: int, seconds: int, warm_s: int):
    """A total outage of five or ten seconds is suspect at most."""
    run = Run(seed, 12)
    run.calm(warm_s)
    assert run.failing(seconds, 1.0) is None
    assert run.calm(120) is None


@pytest.mark.parametrize("seed", range(5))
def test_restart_transient_confirms_nothing(seed: int):
    """Five seconds with failures, then ten with slow requests, are what a deploy costs."""
    run = Run(seed, 12)
    run.calm(60)
    assert run.failing(5, 0.6) is None
    assert run.slow(5, 900, 0.8) is None
    assert run.slow(5, 200, 0.3) is None
    assert run.calm(300) is None


def test_latency_that_rises_by_less_than_50_ms_confirms_nothing():
    """Twice as slow is no incident when it is 20 ms."""
    run = Run(1, 20)
    run.calm(600)
    assert run.slow(300, 20) is None


def test_service_that_fails_from_its_first_request_is_confirmed():
    """The prior takes five per cent as normal, not whatever comes."""
    assert Run(1, 12).failing(60, 0.9) is not None


def test_baseline_learns_nothing_from_the_anomaly():
    """After a quarter of an hour of slow and failing requests the normal is what it was."""
    run = Run(1, 12)
    run.calm(600)
    before = (run.monitor.baseline.errors.p0, run.monitor.baseline.slow.p0, run.monitor.baseline.limits)
    run.feed(900, lambda at_s: run.maker.cell(at_s, 0.3, 400))
    assert run.monitor.errors.life.is_open
    assert run.monitor.latency.life.is_open
    after = (run.monitor.baseline.errors.p0, run.monitor.baseline.slow.p0, run.monitor.baseline.limits)
    assert after == before


def test_baseline_learns_nothing_from_a_suspicion():
    """A blip that was suspect does not raise the normal error ratio."""
    run = Run(1, 12)
    run.calm(600)
    before = run.monitor.baseline.errors.p0
    run.failing(10, 1.0)
    assert run.monitor.errors.life.state is AnomalyState.SUSPECT
    run.calm(60)
    assert run.monitor.errors.life.state is None
    assert run.monitor.baseline.errors.p0 <= before


def test_suspicion_that_never_ends_becomes_normal():
    """A few slow requests, too rare to move the p95, do not stop learning for good."""
    run = Run(1, 150, DetectConfig(verdict_wait_s=300))
    run.calm(120)
    assert run.slow(240, 300, 0.035) is None
    assert run.monitor.latency.life.state is AnomalyState.SUSPECT
    learned = run.monitor.baseline.slow.p0
    assert run.slow(300, 300, 0.035) is None
    assert run.monitor.latency.life.state is None
    assert run.monitor.baseline.slow.p0 > learned


def _closed_after(run: Run, closing: Closing = CLOSING) -> int:
    detector = run.monitor.errors
    began = run.at_s
    while detector.life.is_open:
        run.calm(5, closing)
        assert run.at_s - began < 1000
    return run.at_s - began


def _broken(seed: int = 1) -> tuple[Run, ShiftDetector]:
    run = Run(seed, 12)
    run.calm(300)
    run.failing(60, 0.8)
    assert run.monitor.errors.life.is_open
    return run, run.monitor.errors


def test_anomaly_closes_after_300_seconds_without_a_bad_window():
    """The ten seconds more are those in which the last window still holds failures."""
    run, _ = _broken()
    assert CONFIG.close_after_s <= _closed_after(run) <= CONFIG.close_after_s + 15


def test_no_traffic_never_closes_an_anomaly():
    """Silence is not health."""
    run, detector = _broken()
    run.silent(3000)
    assert detector.life.is_open


def test_recurrence_within_half_an_hour_is_the_same_anomaly():
    """It keeps its onset and counts as flapping."""
    run, detector = _broken()
    onset_s = detector.life.onset_s
    _closed_after(run)
    run.calm(600)
    assert run.failing(60, 0.8) is not None
    assert (detector.life.onset_s, detector.life.reopened) == (onset_s, 1)


def test_recurrence_after_half_an_hour_is_another_anomaly():
    """Then it has an onset of its own."""
    run, detector = _broken()
    _closed_after(run)
    run.calm(CONFIG.reopen_within_s + 60)
    began = run.at_s
    assert run.failing(60, 0.8) is not None
    assert abs(detector.life.onset_s - began) <= 5
    assert detector.life.reopened == 0


def test_deploy_closes_sooner_and_a_recurrence_is_another_anomaly():
    """With other code running, 30 s of health end the episode, and what comes then is new."""
    run, detector = _broken()
    closed_after = _closed_after(run, Closing(CONFIG.close_after_deploy_s, deployed=True))
    assert closed_after <= CONFIG.close_after_deploy_s + 15
    run.calm(30)
    began = run.at_s
    assert run.failing(60, 0.8) is not None
    assert detector.life.onset_s >= began - 5
    assert detector.life.reopened == 0


def test_health_of_a_window_follows_the_rule_for_bad_windows():
    """Too few requests are no data; failing and slow windows are unhealthy."""
    run = Run(1, 20)
    run.calm(600)
    verdict = run.monitor.health
    quiet, failing = run.maker.cell(0, 0.0), run.maker.cell(0, 0.3)
    slow = run.maker.cell(0, 0.0, 300)
    assert quiet is not None
    assert failing is not None
    assert slow is not None
    assert verdict([quiet], 5) is Health.HEALTHY
    assert verdict([failing], 5) is Health.UNHEALTHY
    assert verdict([slow], 5) is Health.UNHEALTHY
    assert verdict([quiet], 1000) is Health.NO_DATA
    assert verdict([], 0) is Health.NO_DATA

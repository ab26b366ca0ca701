"""D4: far fewer or far more requests than usual, by a Poisson CUSUM in each direction."""

from collections import deque
from dataclasses import replace
from math import log
from typing import NamedTuple

from telemetry.detect.config import DetectConfig
from telemetry.detect.cusum import threshold
from telemetry.detect.finding import Finding, Words, finding
from telemetry.detect.lifecycle import Closing, Lifecycle
from telemetry.detect.memory import WatchAnomaly
from telemetry.detect.usual import Usual, UsualTraffic
from telemetry.model import AnomalyState, Detector, SeriesKey, Severity

_USUAL_FOR_S = 60  # what is usual changes slowly: it is looked up once a minute


class Flow(NamedTuple):
    """One tick of a series: its requests, and whether the pipeline is known to work (other services report)."""

    start_s: int
    requests: int
    alive: bool


class Direction:
    """The CUSUM against one multiple of the usual rate: S ← max(0, S + (n·ln(λ1/λ0) - (λ1 - λ0)·Δt) / φ).

    φ ≥ 1 is the dispersion of the counts (quasi-likelihood), so that bursty clients do not look like a change.
    """

    def __init__(self, name: str, factor: float, lasts_s: int, config: DetectConfig) -> None:
        self.name = name
        self.life = Lifecycle(config)
        self.score = 0.0
        self._config = config
        self._factor = factor
        self._log_factor = log(factor)
        self._edge = (factor - 1) / log(factor)  # share of the usual rate that is as likely under both hypotheses
        self._lasts_s = lasts_s
        self._since_s: int | None = None
        self._words: Words | None = None
        self._bad_now = False

    @property
    def disturbed(self) -> bool:
        """True while suspect or confirmed: such ticks do not teach what is usual."""
        state = self.life.state
        return state is AnomalyState.SUSPECT or state is AnomalyState.CONFIRMED

    def step(self, window: deque[Flow], usual_rps: float, dispersion: float, series: int, closing: Closing) -> None:
        """Advance by the newest tick of `window`."""
        config, flow = self._config, window[-1]
        if usual_rps * config.traffic_window_s < config.traffic_expected_min and not self.life.is_open:
            self._reset()
            return
        ratio = flow.requests * self._log_factor - (self._factor - 1) * usual_rps * config.tick_s
        score = self.score + ratio / max(1.0, dispersion)
        if score <= 0 and not self.life.is_open:
            self._reset()  # the usual case, in which no threshold is needed
            return
        limit = threshold(usual_rps, 2 * series, config)
        self.score = min(config.score_cap * limit, max(0.0, score))
        if self.score > 0:
            self._since_s = flow.start_s if self._since_s is None else self._since_s
        if self.life.is_open or self.score >= limit:
            self._judge(window, usual_rps, closing)

    def _judge(self, window: deque[Flow], usual_rps: float, closing: Closing) -> None:
        now_s = window[-1].start_s + self._config.tick_s
        requests = sum(flow.requests for flow in window)
        expected = usual_rps * len(window) * self._config.tick_s
        changed = requests < self._edge * expected if self._factor < 1 else requests > self._edge * expected
        self._bad_now = changed
        if self.life.is_open:
            self.life.observe(now_s, closing, bad=changed)
            if not self.life.is_open:
                self._reset()
            return
        since_s = now_s if self._since_s is None else self._since_s
        self.life.suspect(since_s)
        self._words = self._say(requests, expected, len(window) * self._config.tick_s)
        if changed and now_s - since_s >= self._lasts_s and not closing.maintenance:
            self.life.confirm(since_s, now_s)

    def _say(self, requests: int, expected: float, span_s: int) -> Words:
        usually = f"in {span_s} s, {expected:.0f} are usual"
        if self._factor > 1:
            return Words(Detector.TRAFFIC, Severity.LOW, f"A surge: {requests} requests {usually}.")
        if requests:
            return Words(Detector.TRAFFIC, Severity.MEDIUM, f"A drop: {requests} requests {usually}.")
        return Words(Detector.TRAFFIC, Severity.HIGH, f"Silence while other services report: no request {usually}.")

    def accept(self, now_s: int) -> None:
        """Take what goes on for the new normal: the anomaly is over for good."""
        self.life.observe(now_s, Closing(0, deployed=True), bad=False)
        self._reset()

    def _reset(self) -> None:
        self.score, self._since_s, self._bad_now = 0.0, None, False
        self.life.acquit()

    def dump(self, key: SeriesKey) -> WatchAnomaly | None:
        """Return the anomaly in this direction of the series `key`, None when there is none."""
        life = self.life.dump()
        return None if life is None else WatchAnomaly(key.service, self.name, key.operation, life, self._words)

    def load(self, memory: WatchAnomaly) -> None:
        """Take over what `dump` returned."""
        self.life.load(memory.life)
        self._words = memory.words

    def finding(self, key: SeriesKey) -> Finding | None:
        """Return the finding in this direction, None when there is none."""
        if self.life.state is None or self._words is None:
            return None
        words = replace(self._words, subject=f"{self.name} of {key.operation}")
        return finding(key, self.life, words, bad_now=self._bad_now)


class TrafficMonitor:
    """Watches the rate of one series; feed it every tick in order, empty ones too."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self.usual = UsualTraffic(config)
        self.drop = Direction("drop", config.traffic_drop, config.traffic_drop_lasts_s, config)
        self.surge = Direction("surge", config.traffic_surge, config.traffic_surge_lasts_s, config)
        self._window: deque[Flow] = deque(maxlen=config.traffic_window_s // config.tick_s)
        self._expected: Usual | None = None
        self._expected_at = -1

    @property
    def is_open(self) -> bool:
        """True while a drop or a surge is confirmed and not closed."""
        return self.drop.life.is_open or self.surge.life.is_open

    @property
    def is_told(self) -> bool:
        """True while there is an anomaly, if only a suspicion, in either direction."""
        return self.drop.life.state is not None or self.surge.life.state is not None

    def step(self, flow: Flow, series: int, closing: Closing) -> None:
        """Advance by one tick; `series` is how many the service has.

        Silence counts only while other services report: else it is no data, which neither alarms nor heals.
        """
        now_s = flow.start_s + self._config.tick_s
        if self.is_told:
            self.drop.life.forget(now_s)
            self.surge.life.forget(now_s)
        if not flow.alive and not flow.requests:
            return
        self._window.append(flow)
        usual, dispersion = self._usual_at(flow.start_s), self.usual.dispersion
        if usual is not None:
            self.drop.step(self._window, usual.low, dispersion, series, closing)
        if usual is not None and usual.high is not None:
            self.surge.step(self._window, usual.high, dispersion, series, closing)
        disturbed = [side for side in (self.drop, self.surge) if side.disturbed]
        if not disturbed and not closing.maintenance:
            self.usual.learn(flow.start_s, flow.requests)
        elif flow.requests and any(self._is_new_normal(side, now_s) for side in disturbed):
            self.usual = UsualTraffic(self._config)
            self._expected_at = -1
            for side in disturbed:
                side.accept(now_s)

    def _usual_at(self, now_s: int) -> Usual | None:
        minute = now_s // _USUAL_FOR_S
        if minute != self._expected_at:
            self._expected, self._expected_at = self.usual.at(now_s), minute
        return self._expected

    def _is_new_normal(self, side: Direction, now_s: int) -> bool:
        """Return whether a level has lasted so long that it is what is usual now; silence never is."""
        return now_s - side.life.onset_s >= self._config.traffic_new_normal_s

    def findings(self, key: SeriesKey) -> list[Finding]:
        """Return the findings on the series: at most a drop and a surge."""
        told = (side.finding(key) for side in (self.drop, self.surge))
        return [found for found in told if found is not None]

"""D1 and D2 on one series: a CUSUM over bad events, with a persistence gate in front of every incident."""

from math import inf

from telemetry.detect import cusum
from telemetry.detect.baseline import RatioHistory
from telemetry.detect.config import DetectConfig
from telemetry.detect.lifecycle import Closing, Lifecycle
from telemetry.detect.memory import ShiftMemory
from telemetry.detect.windows import Rule, Tick, TickHistory, Window, is_bad, persists
from telemetry.model import AnomalyState


class ShiftDetector:
    """Watches one kind of bad event of one series; feed it every tick in order, empty ones too."""

    def __init__(self, rule: Rule, config: DetectConfig) -> None:
        self._rule = rule
        self._config = config
        self._score = 0.0
        self._limit = inf
        self._excursion_s: int | None = None
        self._bad = 0
        self.history = TickHistory(config)
        self.life = Lifecycle(config)
        self.at_confirmation = Window(0, 0, 0)
        self.worst = Window(0, 0, 0)
        self.bad_now: bool | None = None

    @property
    def excursion_s(self) -> int | None:
        """Start of the first tick of the running excursion of the CUSUM above 0, or None."""
        return self._excursion_s

    @property
    def disturbed(self) -> bool:
        """True while suspect or confirmed: such cells teach the baseline nothing."""
        return self.life.is_open or self.life.state is AnomalyState.SUSPECT or self._over_threshold

    @property
    def _over_threshold(self) -> bool:
        return self._bad >= self._config.suspect_bad_min and self._score >= self._limit

    def step(self, tick: Tick, normal: RatioHistory, series: int, closing: Closing) -> None:
        """Advance by one tick; `series` is how many the service has.

        The CUSUM is against the bad ratio that a normal service may have, the gate against what one of its windows
        may show, so that a chance error or two in a window next to a blip make no incident of it.
        """
        config = self._config
        now_s = tick.start_s + config.tick_s
        self.history.add(tick)
        if not tick.bad and not self._score and self.life.state is None:
            return  # nothing has happened and nothing does: the usual case, for every series at every tick
        p0, real_p0 = normal.p0, normal.real_p0
        self._limit = cusum.ratio_threshold(self.history.rate_rps, real_p0, series, config)
        self._advance(tick, real_p0)
        self.life.forget(now_s)
        self.bad_now = self._verdict(p0)
        if self.life.is_open:
            self._follow(now_s, closing)
        elif self._over_threshold:
            self._judge(p0, now_s, closing)

    def _advance(self, tick: Tick, p0: float) -> None:
        self._score = cusum.advance(self._score, tick.requests, tick.bad, p0, self._limit, self._config)
        if self._score > 0:
            self._excursion_s = tick.start_s if self._excursion_s is None else self._excursion_s
            self._bad += tick.bad
        else:
            self._excursion_s, self._bad = None, 0
            self.life.acquit()

    def _judge(self, p0: float, now_s: int, closing: Closing) -> None:
        onset_s = now_s if self._excursion_s is None else self._excursion_s
        self.life.suspect(onset_s)
        if not closing.maintenance and persists(self.history, p0, self._rule, self._config):
            self.life.confirm(onset_s, now_s)
            self.at_confirmation = self.worst = self.history.window()

    def _follow(self, now_s: int, closing: Closing) -> None:
        if self.bad_now:
            self.worst = max(self.worst, self.history.window(), key=lambda window: window.bad_ratio)
        self.life.observe(now_s, closing, bad=self.bad_now)
        if not self.life.is_open:
            self._reset()

    def _verdict(self, p0: float) -> bool | None:
        """Return whether the newest window is bad, None without enough requests to tell."""
        window = self.history.window()
        if window.requests < self._config.healthy_requests_min:
            return None
        return is_bad(window, p0, self._rule, self._config)

    def _reset(self) -> None:
        self._score, self._excursion_s, self._bad = 0.0, None, 0

    def dump(self) -> ShiftMemory | None:
        """Return the anomaly, if there is one; the score begins anew after a restart."""
        life = self.life.dump()
        return None if life is None else ShiftMemory(life, self.at_confirmation, self.worst)

    def load(self, memory: ShiftMemory) -> None:
        """Take over what `dump` returned."""
        self.life.load(memory.life)
        self.at_confirmation, self.worst = memory.at_confirmation, memory.worst

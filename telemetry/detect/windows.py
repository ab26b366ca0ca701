"""The last minutes of one series in ticks, and the persistence gate that looks back over them."""

from collections import deque
from dataclasses import dataclass
from itertools import repeat
from math import ceil

from telemetry.detect.config import DetectConfig
from telemetry.detect.cusum import likelihood_ratio

_RATE_OVER_S = 60
_P95_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Tick:
    """Events of one series in one tick. `shifted` counts those beyond the limit that moves the p95."""

    start_s: int
    requests: int
    bad: int
    shifted: int


@dataclass(frozen=True, slots=True)
class Window:
    """Sums over some ticks."""

    requests: int
    bad: int
    shifted: int

    @property
    def bad_ratio(self) -> float:
        """Share of bad events; 0 without events."""
        return self.bad / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """What distinguishes the gates of D1 and D2."""

    windows: tuple[int, int]
    p95_must_move: bool


def is_bad(window: Window, p0: float, rule: Rule, config: DetectConfig) -> bool:
    """Return whether a window is bad.

    Its log-likelihood ratio is above 0 and its bad ratio is at least 2 %; for latency its p95 must also be above
    1.5 times the baseline's and 50 ms above it, that is: at least 5 % of its requests took longer than that. One
    bad request alone among seven or more is a coincidence: it must not turn a blip next to it into an incident.
    """
    if not window.requests or window.bad_ratio < config.window_bad_ratio_min:
        return False
    if window.bad == 1 and window.requests >= config.window_lone_requests:
        return False
    if rule.p95_must_move and window.shifted < _P95_SHARE * window.requests:
        return False
    return likelihood_ratio(window.requests, window.bad, p0, config) > 0


class TickHistory:
    """The newest ticks of one series, as running totals: any stretch of them is a difference of two."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self._totals: deque[tuple[int, int, int]] = deque([(0, 0, 0)], 1 + 5 * config.window_max_s // config.tick_s)
        self._began = False
        self._rate_rps = 0.0
        self._window_ticks = self._ticks_at(0.0)

    def add(self, tick: Tick) -> None:
        """Append the next tick."""
        self._began = self._began or tick.requests > 0
        if self._began:
            requests, bad, shifted = self._totals[-1]
            self._totals.append((requests + tick.requests, bad + tick.bad, shifted + tick.shifted))
            ticks = min(len(self._totals) - 1, _RATE_OVER_S // self._config.tick_s)
            self._rate_rps = self._sum(0, ticks).requests / (ticks * self._config.tick_s)
            self._window_ticks = self._ticks_at(self._rate_rps)

    def skip(self, ticks: int) -> None:
        """Append some empty ticks at once; the rate is right after the next `add`."""
        if self._began:
            self._totals.extend(repeat(self._totals[-1], min(ticks, self._totals.maxlen or ticks)))

    @property
    def rate_rps(self) -> float:
        """Requests per second over the last minute, or since the first request when that is shorter."""
        return self._rate_rps

    def window_ticks(self) -> int:
        """Length of a window in ticks: B = max(10 s, 5/λ), at most 300 s, rounded up."""
        return self._window_ticks

    def window(self, back: int = 0) -> Window:
        """Return the window that ends `back` whole windows before now."""
        length = self._window_ticks
        return self._sum(back * length, (back + 1) * length)

    def newest_half(self) -> Window:
        """Return the newer half of the last window."""
        return self._sum(0, ceil(self._window_ticks / 2))

    def _ticks_at(self, rate_rps: float) -> int:
        config = self._config
        wanted_s = config.window_requests / rate_rps if rate_rps else config.window_max_s
        return ceil(min(config.window_max_s, max(config.window_min_s, wanted_s)) / config.tick_s)

    def _sum(self, newest: int, oldest: int) -> Window:
        last = len(self._totals) - 1
        after, before = self._totals[last - min(newest, last)], self._totals[last - min(oldest, last)]
        return Window(after[0] - before[0], after[1] - before[1], after[2] - before[2])


def persists(history: TickHistory, p0: float, rule: Rule, config: DetectConfig) -> bool:
    """Return whether the disturbance has lasted: 3 of the last 4 windows bad (D2: 4 of 5), or a severe one.

    Severe: the newest window is at least half bad, its newer half at least 70 %, and the window before at least
    40 % (on average that is 50 % when an outage has lasted for one and a half windows). The newer half keeps out
    an outage of ten seconds that straddles both windows and is over already.
    """
    need, among = rule.windows
    windows = [history.window(back) for back in range(among)]
    verdicts = [is_bad(window, p0, rule, config) for window in windows]
    if verdicts[0] and sum(verdicts) >= need:
        return True
    newest, before = windows[0], windows[1]
    severe = newest.bad_ratio >= config.severe_ratio and before.bad_ratio >= config.severe_ratio_before
    ongoing = history.newest_half().bad_ratio >= config.severe_ratio_newest
    return severe and ongoing and all(verdicts[:2])

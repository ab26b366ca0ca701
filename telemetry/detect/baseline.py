"""What is normal for one series: bad ratios and latency quantiles, learned from undisturbed cells only."""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import astuple, dataclass
from itertools import islice
from math import floor, sqrt

from telemetry.detect.config import DetectConfig
from telemetry.detect.memory import BaselineMemory, RatioMemory, packed, unpacked
from telemetry.state import Cell, Sketch

_LEARN_STEP = 1.1  # limits are recomputed when the history has grown by a tenth


@dataclass(frozen=True, slots=True)
class LatencyLimits:
    """Durations that tell slow from normal. `slow_ms`: one slow request; `shifted_ms`: the p95 has moved."""

    p95_ms: float
    p99_ms: float
    shifted_ms: float
    slow_ms: float


class RatioHistory:
    """Bad ratios of past windows of one series, of one kind of bad event."""

    def __init__(self, floor_ratio: float, config: DetectConfig) -> None:
        self._floor = floor_ratio
        self._config = config
        self._requests = 0
        self._bad = 0
        self._open: tuple[int, int, int] | None = None
        self._order: deque[float] = deque()
        self._sorted: list[float] = []
        self._sum = self._squares = self._window_requests = 0.0
        self._high = self._real_high = 0.0

    def learn(self, start_s: int, requests: int, bad: int) -> None:
        """Take in a tick: windows of at least a minute are widened until they hold 200 requests."""
        self._requests += requests
        self._bad += bad
        began, total, total_bad = self._open or (start_s, 0, 0)
        self._open = (began, total + requests, total_bad + bad)
        long_enough = start_s + self._config.tick_s - began >= self._config.ratio_window_s
        if long_enough and total + requests >= self._config.ratio_window_requests:
            self._close_window(total + requests, (total_bad + bad) / (total + requests))

    def _close_window(self, requests: int, ratio: float) -> None:
        self._open = None
        self._order.append(ratio)
        insort(self._sorted, ratio)
        self._sum += ratio
        self._squares += ratio * ratio
        self._window_requests += (requests - self._window_requests) / len(self._order)
        if len(self._order) > self._config.ratio_windows_kept:
            oldest = self._order.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
            self._sum -= oldest
            self._squares -= oldest * oldest
        self._judge_windows()

    @property
    def p0(self) -> float:
        """The bad ratio that a normal window may show: max(floor, cautious mean, q99.8 of the windows).

        Of fewer than 500 windows it is the q99.
        """
        return min(0.9, max(self._floor, self._mean, self._high))

    @property
    def real_p0(self) -> float:
        """The bad ratio that a normal service may have: as `p0`, but without the sampling noise of the windows."""
        return min(0.9, max(self._floor, self._mean, self._real_high))

    @property
    def _mean(self) -> float:
        return (self._bad + self._config.prior_bad) / (self._requests + self._config.prior_requests)

    def dump(self, windows_max: int) -> RatioMemory:
        """Return what was learned, with the newest `windows_max` windows."""
        newest = islice(self._order, max(0, len(self._order) - windows_max), None)
        return RatioMemory(self._requests, self._bad, packed(newest), self._window_requests)

    def load(self, memory: RatioMemory) -> None:
        """Take over what `dump` returned. Raises ValueError when its windows are damaged."""
        self._requests, self._bad = memory.requests, memory.bad
        self._order = deque(unpacked(memory.windows)[-self._config.ratio_windows_kept :])
        self._sorted = sorted(self._order)
        self._sum, self._squares = sum(self._order), sum(ratio * ratio for ratio in self._order)
        self._window_requests = memory.window_requests or memory.requests / max(1, len(self._order))
        self._judge_windows()

    def _judge_windows(self) -> None:
        """Compute the high quantile of the windows' ratios, and of the ratios behind them.

        A window adds noise of its own to its ratio. Drawn towards their mean until they are as far apart as the
        ratios behind them are (Louis, "Estimating a population of parameter values using Bayes and empirical Bayes
        methods", JASA 79, 1984), windows show these. The CUSUM expects the noise already: counted twice it would
        make a service with few requests deaf.
        """
        windows = len(self._sorted)
        if not windows:
            return
        level = 0.998 if windows >= self._config.ratio_windows_many else 0.99
        self._high = self._sorted[min(windows - 1, floor(level * windows))]
        mean = self._sum / windows
        self._real_high = mean + (self._high - mean) * sqrt(self._real_share(mean))

    def _real_share(self, mean: float) -> float:
        """Return the share of the windows' variance that is not sampling noise, in [0, 1], an upper bound.

        The noise of a ratio over n requests has the variance p(1 - p)/n. The variance of N windows is raised by
        `noise_z` standard errors sqrt((2 + 1/(n p))/N) of it, those of the variance of N Poisson counts, so that
        few windows, or few bad requests, prove nothing.
        """
        windows, requests = len(self._sorted), self._window_requests
        variance = self._squares / windows - mean * mean
        if windows == 1 or not 0 < mean < 1 or variance <= 0:  # nothing to compare
            return 1.0
        noise = mean * (1 - mean) / requests
        unsure = self._config.noise_z * sqrt((2 + 1 / (requests * mean)) / windows)
        return max(0.0, 1 - noise / (variance * (1 + unsure)))


class Baseline:
    """The learned normal of one series. The caller decides which cells are undisturbed."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self.errors = RatioHistory(config.error_ratio_floor, config)
        self.slow = RatioHistory(config.slow_ratio_floor, config)
        self._first_s: int | None = None
        self._older = Sketch()
        self._newer = Sketch()
        self._newer_since_s = 0
        self._limits: LatencyLimits | None = None
        self._limits_at = 0

    @property
    def limits(self) -> LatencyLimits | None:
        """The latency limits, or None while too little has been learned to judge latency at all."""
        return self._limits

    def learn(self, cell: Cell) -> None:
        """Take in an undisturbed cell; the first seconds of a series teach no latency (cold caches)."""
        if self._first_s is None:
            self._first_s = self._newer_since_s = cell.start_s
        self.errors.learn(cell.start_s, cell.requests, cell.errors)
        if self._limits is not None:
            self.slow.learn(cell.start_s, cell.requests, cell.sketch.count_above(self._limits.slow_ms))
        if cell.start_s >= self._first_s + self._config.warmup_s:
            self._learn_latency(cell)

    def _learn_latency(self, cell: Cell) -> None:
        if cell.start_s - self._newer_since_s >= self._config.latency_generation_s:
            self._older, self._newer, self._newer_since_s = self._newer, Sketch(), cell.start_s
            self._limits_at = 0
        self._newer.merge(cell.sketch)
        count = self._older.count + self._newer.count
        if count >= max(self._config.latency_requests_min, _LEARN_STEP * self._limits_at):
            self._limits, self._limits_at = self._compute_limits(), count

    def _compute_limits(self) -> LatencyLimits:
        both = Sketch()
        both.merge(self._older)
        both.merge(self._newer)
        p95 = self._upper_quantile(both, 0.95)
        p99 = self._upper_quantile(both, 0.99)
        shifted = max(self._config.p95_factor * p95, p95 + self._config.p95_step_ms)
        return LatencyLimits(p95_ms=p95, p99_ms=p99, shifted_ms=shifted, slow_ms=max(p99, shifted))

    def _upper_quantile(self, sketch: Sketch, level: float) -> float:
        """Return the upper confidence bound of a quantile by order statistics, z standard errors up.

        Normal approximation of the binomial rank (David & Nagaraja, "Order Statistics", 7.1).
        """
        raised = level + self._config.quantile_z * sqrt(level * (1 - level) / sketch.count)
        return sketch.quantile(min(1.0, raised)) or 0.0

    def dump(self, windows_max: int) -> BaselineMemory:
        """Return what was learned, with the newest `windows_max` windows of each kind."""
        return BaselineMemory(
            self.errors.dump(windows_max),
            self.slow.dump(windows_max),
            self._first_s,
            dict(self._older.buckets),
            dict(self._newer.buckets),
            self._newer_since_s,
            None if self._limits is None else astuple(self._limits),
            self._limits_at,
        )

    def load(self, memory: BaselineMemory) -> None:
        """Take over what `dump` returned. Raises ValueError when it is damaged."""
        self.errors.load(memory.errors)
        self.slow.load(memory.slow)
        self._first_s, self._newer_since_s = memory.first_s, memory.newer_since_s
        self._older, self._newer = Sketch.of(memory.older), Sketch.of(memory.newer)
        self._limits = None if memory.limits is None else LatencyLimits(*memory.limits)
        self._limits_at = memory.limits_at

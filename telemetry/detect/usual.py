"""The usual traffic of one series: by hour of the week, with what to go by until a week has been seen."""

from collections import deque
from dataclasses import dataclass
from statistics import median

from telemetry.detect.config import DetectConfig
from telemetry.detect.memory import TrafficMemory
from telemetry.model import SeriesKey

_HOUR_S = 3600
_DAY_H = 24
_WEEK_H = 7 * _DAY_H


@dataclass(frozen=True, slots=True)
class Usual:
    """Requests per second to expect: `low` is what a drop, `high` what a surge is measured against (None: not yet)."""

    low: float
    high: float | None


class UsualTraffic:
    """Learns from undisturbed ticks. Its state is plain data: two open counts and two collections of rates.

    `hours` holds, by hour of the week (0 is Thursday 00:00 UTC, as Unix time begins), the rates of the newest
    weeks; `recent` those of the newest five-minute stretches; `dispersion` is Pearson's statistic per degree of
    freedom, 1 for Poisson arrivals and more for bursts (McCullagh and Nelder, "Generalized Linear Models", 4.5).
    """

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self.hours: dict[int, deque[float]] = {}
        self.recent: deque[float] = deque(maxlen=config.traffic_recent_kept)
        self.dispersion = 1.0
        self._counts = ((_Count(), _HOUR_S), (_Count(), config.traffic_recent_s))

    def learn(self, start_s: int, requests: int) -> None:
        """Take in an undisturbed tick; an hour of which too much is missing teaches nothing."""
        self._learn_dispersion(requests)
        for count, length_s in self._counts:
            number = start_s // length_s
            if number != count.number:
                if count.seen_s >= self._config.traffic_hour_seen * length_s:
                    self._close(count, length_s)
                count.begin(number)
            count.requests += requests
            count.seen_s += self._config.tick_s

    def _close(self, count: "_Count", length_s: int) -> None:
        rate = count.requests / count.seen_s
        if length_s == _HOUR_S:
            weeks = self.hours.setdefault(count.number % _WEEK_H, deque(maxlen=self._config.traffic_weeks_kept))
            weeks.append(rate)
        else:
            self.recent.append(rate)

    def _learn_dispersion(self, requests: int) -> None:
        if not self.recent:
            return
        expected = self.recent[-1] * self._config.tick_s
        if expected >= 1:
            excess = (requests - expected) ** 2 / expected - self.dispersion
            self.dispersion += excess / self._config.traffic_dispersion_memory

    def dump(self, key: SeriesKey) -> TrafficMemory:
        """Return what was learned of the series `key`."""
        hours = {hour: median(rates) for hour, rates in self.hours.items() if rates}
        return TrafficMemory(key.service, key.operation, hours, list(self.recent), self.dispersion)

    def load(self, memory: TrafficMemory) -> None:
        """Take over what `dump` returned; the weeks before have become one."""
        kept = self._config.traffic_weeks_kept
        self.hours = {hour: deque([rate], maxlen=kept) for hour, rate in memory.hours.items()}
        self.recent.extend(memory.recent)
        self.dispersion = memory.dispersion

    def at(self, now_s: int) -> Usual | None:
        """Return what is usual now, None while too little was seen.

        That is the median of the same hour of past weeks, drawn straight between the middles of the hours. Before
        a week has been seen: the lower (for a surge the higher) of the same hour of past days and of the last hour.
        The last hour alone has to do for a drop on the first day, on which nothing is called a surge.
        """
        weekly = self._between(now_s, _WEEK_H)
        if weekly is not None:
            return Usual(weekly, weekly)
        if len(self.recent) < self._config.traffic_recent_kept:
            return None
        lately = median(self.recent)
        daily = self._between(now_s, _DAY_H)
        return Usual(lately, None) if daily is None else Usual(min(lately, daily), max(lately, daily))

    def _between(self, now_s: int, period_h: int) -> float | None:
        """Return the rate between the two nearest middles of hours, None when either hour was never seen."""
        place = now_s / _HOUR_S - 0.5
        first = int(place // 1)
        before, after = self._median(first, period_h), self._median(first + 1, period_h)
        if before is None or after is None:
            return None
        share = place - first
        return (1 - share) * before + share * after

    def _median(self, hour: int, period_h: int) -> float | None:
        same = (self.hours.get(h) for h in range(hour % period_h, _WEEK_H, period_h))
        rates = [rate for weeks in same if weeks for rate in weeks]
        return median(rates) if rates else None


@dataclass(slots=True)
class _Count:
    """Requests of a running hour or stretch, by its number since 1970, and how many of its seconds were seen."""

    number: int = -1
    requests: int = 0
    seen_s: int = 0

    def begin(self, number: int) -> None:
        self.number, self.requests, self.seen_s = number, 0, 0

"""D5, predictive: a gauge that rises steadily and would be at its limit within half an hour."""

from collections.abc import Sequence
from dataclasses import dataclass

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding, Words, finding
from telemetry.detect.lifecycle import Closing, Lifecycle
from telemetry.detect.memory import WatchAnomaly
from telemetry.detect.trend import Bin, bins, outlier_scores, slope, trend
from telemetry.model import Detector, SeriesKey, Severity
from telemetry.state import GaugeSeries
from telemetry.state.views import columns_before, newest_before

_SPENT_BY_USE = frozenset({"cpu", "eventloop", "duty_cycle"})
"""Parts of names of gauges that go up and down with load: that they are full is no leak."""
_NOT_USED = frozenset({"idle", "free", "available", "cached", "buffered", "inactive", "reserved"})
"""States of a resource that a growing number of is no trouble."""
_HIGH_URGENCY_S = 600


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where a gauge goes: its share of the limit now, and in how many seconds it is at the limit."""

    ratio: float
    limit_in_s: float
    rising_since_s: int


def can_fill(series: GaugeSeries) -> bool:
    """Return whether the gauge measures something with a known limit that a leak would use up."""
    busy = any(part in series.name for part in _SPENT_BY_USE)
    unused = _NOT_USED & set(series.attributes.values())
    return bool(series.limit and series.limit > 0) and not busy and not unused


def predict(series: GaugeSeries, now_s: int, config: DetectConfig) -> Forecast | None:
    """Return when the gauge will be at its limit if that is within half an hour, else None.

    The newest 30 minutes are looked at, and for what began later the newest 10. A rise counts if (1) Mann and
    Kendall's test finds a trend in the medians of its bins, (2) the newer half rises at no less than 85 %
    of the older half's pace, so that a cache that fills and levels off is not a leak, and (3) the newest floor is
    above every value that the gauge had before the rise and came back from, so that a sawtooth is not either.
    The distance is measured from the newest peak; the pace is Theil and Sen's slope of the newer half's medians.
    """
    limit = series.limit
    last = newest_before(series.points, now_s, 1)
    if not limit or not last or now_s - last[0].at_s > config.gauge_stale_s:
        return None
    if not config.forecast_ratio_min * limit <= last[0].value < limit:
        return None
    points = list(zip(*columns_before(series.points, now_s), strict=True))
    newest = [value for at_s, value in points if at_s > points[-1][0] - config.gauge_stale_s]
    for window_s in config.forecast_windows_s:
        start_s = now_s - window_s
        before = max((value for at_s, value in points if at_s < start_s), default=0.0)
        if min(newest) < before + config.forecast_record * limit:
            continue
        found = _rise(bins(points, start_s, window_s / config.forecast_bins), max(newest), limit, config)
        if found is not None:
            return found
    return None


def _rise(stretch: Sequence[Bin], peak: float, limit: float, config: DetectConfig) -> Forecast | None:
    if len(stretch) < config.forecast_bins_min or stretch[-1].at_s - stretch[0].at_s < config.forecast_span_min_s:
        return None
    if trend([b.mid for b in stretch]) < config.forecast_z:
        return None
    half = len(stretch) // 2
    older, newer, whole = (_pace(part) for part in (stretch[:half], stretch[-half:], stretch))
    pace = min(newer, 2 * whole)  # a rise that began in the middle of the stretch has half its pace over the whole
    if pace <= 0 or newer < config.forecast_pace_min * older:
        return None
    left_s = max(0.0, limit - peak) / pace
    return Forecast(peak / limit, left_s, int(stretch[0].at_s)) if left_s <= config.forecast_within_s else None


def _pace(stretch: Sequence[Bin]) -> float:
    return slope([(b.at_s, b.mid) for b in stretch])


class ForecastMonitor:
    """Follows the forecast for one gauge of one service over all its instances."""

    def __init__(self, name: str, config: DetectConfig) -> None:
        self._name = name
        self._config = config
        self.life = Lifecycle(config)
        self._since_s: int | None = None
        self._words: Words | None = None
        self._bad_now = False

    @property
    def is_idle(self) -> bool:
        """True while no rise is followed."""
        return self._since_s is None

    def step(self, now_s: int, forecasts: Sequence[Forecast | None], fullest: float, closing: Closing) -> None:
        """Take in the forecasts of all fresh instances, None for one that will not fill; none at all is no data.

        `fullest` is the largest share of the limit among them: what has arrived at its limit is not healed.
        """
        self.life.forget(now_s)
        soonest = min((f for f in forecasts if f is not None), key=lambda f: f.limit_in_s, default=None)
        self._bad_now = soonest is not None
        if soonest is None:
            self._since_s = None if forecasts else self._since_s
            self.life.acquit()
        else:
            self._since_s = now_s if self._since_s is None else self._since_s
            self.life.suspect(self._since_s)
            self._words = self._words if self.life.is_open else self._say(soonest)
        if self.life.is_open:
            self._bad_now = self._bad_now or fullest >= self._config.memory_ratio
            self.life.observe(now_s, closing, bad=self._bad_now if forecasts else None)
        elif self._since_s is not None and now_s - self._since_s >= self._config.forecast_lasts_s:
            self._confirm(closing, now_s)

    def _confirm(self, closing: Closing, now_s: int) -> None:
        if not closing.maintenance and self._since_s is not None:
            self.life.confirm(self._since_s, now_s)

    def _say(self, soonest: Forecast) -> Words:
        severity = Severity.HIGH if soonest.limit_in_s <= _HIGH_URGENCY_S else Severity.MEDIUM
        minutes = max(1, round(soonest.limit_in_s / 60))
        reason = (
            f"{self._name} is at {100 * soonest.ratio:.0f} % of its limit, rises steadily, and will be there "
            f"in about {minutes} min."
        )
        return Words(Detector.SATURATION, severity, reason, f"forecast of {self._name}")

    def dump(self, key: SeriesKey) -> WatchAnomaly | None:
        """Return the anomaly of the gauge, told under `key`, None when it has none."""
        life = self.life.dump()
        return None if life is None else WatchAnomaly(key.service, self._name, key.operation, life, self._words)

    def load(self, memory: WatchAnomaly) -> None:
        """Take over what `dump` returned."""
        self.life.load(memory.life)
        self._words = memory.words

    def finding(self, key: SeriesKey) -> Finding | None:
        """Return the finding on the gauge, told under the series `key` of its service."""
        if self.life.state is None or self._words is None:
            return None
        return finding(key, self.life, self._words, bad_now=self._bad_now)


class OutlierMonitor:
    """Notes when a gauge is far from its usual: a suspicion only, which opens nothing and points at no root."""

    def __init__(self, name: str, config: DetectConfig) -> None:
        self._name = name
        self.life = Lifecycle(config)
        self._words: Words | None = None

    def step(self, now_s: int, score: float) -> None:
        """Take in the smallest score of the newest points, 0 when they are not outliers."""
        if not score:
            self.life.acquit()
            return
        self.life.suspect(now_s)
        reason = (
            f"{self._name} is {abs(score):.0f} robust standard deviations {'above' if score > 0 else 'below'} usual."
        )
        self._words = Words(Detector.SATURATION, Severity.LOW, reason, f"outlier of {self._name}")

    def finding(self, key: SeriesKey) -> Finding | None:
        """Return the suspicion, told under the series `key` of its service."""
        if self.life.state is None or self._words is None:
            return None
        return finding(key, self.life, self._words, bad_now=False)


def outlying(series: GaugeSeries, now_s: int, config: DetectConfig) -> float:
    """Return the smallest score of the newest three points if all are beyond ±6 to the same side, else 0.

    They are compared with the points before them; a gauge that stopped reporting, or with little history, is none.
    """
    _, values = columns_before(series.points, now_s)
    history, newest = values[: -config.outlier_ticks], values[-config.outlier_ticks :]
    if len(history) < config.outlier_history_min or now_s - series.points[-1].at_s > config.gauge_stale_s:
        return 0.0
    scores = outlier_scores(newest, history, config.outlier_mad_floor)
    same_side = all(score > 0 for score in scores) or all(score < 0 for score in scores)
    smallest = min(scores, key=abs)
    return smallest if same_side and abs(smallest) > config.outlier_score else 0.0

"""The watch over every gauge of an environment: what will be full soon, and what is far from its usual."""

from collections.abc import Callable, Iterable, Iterator

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.detect.forecast import Forecast, ForecastMonitor, OutlierMonitor, can_fill, outlying, predict
from telemetry.detect.lifecycle import Closing
from telemetry.detect.memory import WatchAnomaly
from telemetry.model import SeriesKey
from telemetry.state import GaugeSeries
from telemetry.state.views import newest_before
from telemetry.steps import Steps, whole

Name = tuple[str, str]
"""Service and metric."""

_SLICE = 64


class GaugeWatch:
    """Looks at gauges every 30 s of event time: trends over minutes need no more, and sorting them costs."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self._forecasts: dict[Name, ForecastMonitor] = {}
        self._outliers: dict[Name, OutlierMonitor] = {}
        self._keys: dict[Name, SeriesKey] = {}

    def is_due(self, now_s: int) -> bool:
        """Return whether gauges are looked at in the tick that ends at `now_s`."""
        return now_s % self._config.forecast_every_s == 0

    def advance(self, now_s: int, gauges: Iterable[GaugeSeries], closing_of: Callable[[str], Closing]) -> None:
        """Take in the gauges of all services as they were at `now_s`."""
        whole(self.steps(now_s, gauges, closing_of))

    def steps(self, now_s: int, gauges: Iterable[GaugeSeries], closing_of: Callable[[str], Closing]) -> Steps[None]:
        """Do the same with pauses; points that come in one are newer than `now_s` or late."""
        forecasts: dict[Name, list[Forecast | None]] = {name: [] for name in self._forecasts}
        fullest: dict[Name, float] = {}
        scores: dict[Name, float] = dict.fromkeys(self._outliers, 0.0)
        for number, gauge in enumerate(gauges, 1):
            if number % _SLICE == 0:
                yield
            name = (gauge.service, gauge.name)
            score = outlying(gauge, now_s, self._config)
            scores[name] = max(scores.get(name, 0.0), score, key=abs)
            value = _newest(gauge, now_s, self._config)
            if value is not None and gauge.limit and can_fill(gauge):
                forecasts.setdefault(name, []).append(predict(gauge, now_s, self._config))
                fullest[name] = max(fullest.get(name, 0.0), value / gauge.limit)
        for name, found in forecasts.items():
            monitor = self._forecasts.setdefault(name, ForecastMonitor(name[1], self._config))
            monitor.step(now_s, found, fullest.get(name, 0.0), closing_of(name[0]))
        for name, score in scores.items():
            self._outliers.setdefault(name, OutlierMonitor(name[1], self._config)).step(now_s, score)
        self._forget(forecasts, scores)

    def _forget(self, forecasts: dict[Name, list[Forecast | None]], scores: dict[Name, float]) -> None:
        """Let go of monitors of which nothing is to be told."""
        for name in [n for n in forecasts if self._forecasts[n].life.state is None and self._forecasts[n].is_idle]:
            del self._forecasts[name]
        for name in [n for n in scores if self._outliers[n].life.state is None]:
            del self._outliers[name]
        told = self._forecasts.keys() | self._outliers.keys()
        self._keys = {name: key for name, key in self._keys.items() if name in told}

    def dump_anomalies(self) -> list[WatchAnomaly]:
        """Return the forecasts that are open or may flap; outliers are suspicions, and one not told has no key yet."""
        told = ((self._keys.get(name), monitor) for name, monitor in self._forecasts.items())
        return [memory for key, monitor in told if key is not None and (memory := monitor.dump(key)) is not None]

    def load_anomalies(self, anomalies: Iterable[tuple[SeriesKey, WatchAnomaly]]) -> None:
        """Take over what `dump_anomalies` returned, by the series under which each was told."""
        for key, memory in anomalies:
            name = (memory.service, memory.subject)
            monitor = self._forecasts[name] = ForecastMonitor(memory.subject, self._config)
            monitor.load(memory)
            self._keys[name] = key

    def findings(self, key_of: Callable[[str, str], SeriesKey]) -> Iterator[Finding]:
        """Yield all findings; each keeps the series key that `key_of` (service, subject) first gave it."""
        for name, monitor in [*self._forecasts.items(), *self._outliers.items()]:
            if monitor.life.state is not None:
                key = self._keys.get(name) or self._keys.setdefault(name, key_of(*name))
                told = monitor.finding(key)
                if told is not None:
                    yield told


def _newest(gauge: GaugeSeries, now_s: int, config: DetectConfig) -> float | None:
    """Return the newest value before `now_s`, None when it is stale."""
    newest = newest_before(gauge.points, now_s, 1)
    return newest[0].value if newest and now_s - newest[0].at_s <= config.gauge_stale_s else None

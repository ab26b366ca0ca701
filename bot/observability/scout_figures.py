"""Scout's metrics: what it took in, what it dropped and why, and how far behind it is."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from telemetry.scout import Scout
from telemetry.state import TelemetryState


@dataclass(frozen=True, slots=True)
class _Seen:
    """The state at one tick; readers of metrics run in other threads, the state does not."""

    spans: int = 0
    points: int = 0
    logs: int = 0
    series: int = 0
    baselines: int = 0
    spans_per_s: float = 0.0
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    refused: dict[str, int] = field(default_factory=dict[str, int])
    watermark_s: int | None = None


class ScoutFigures:
    """Instruments over the state as it was at the last `look`."""

    def __init__(self, meter: Meter, clock: Callable[[], float] = time.time) -> None:
        self._seen = _Seen()
        self._clock = clock
        counters = {
            "spans": (lambda: self._seen.spans, "Spans taken in"),
            "points": (lambda: self._seen.points, "Metric points taken in"),
            "logs": (lambda: self._seen.logs, "Log records taken in"),
        }
        for name, (value, text) in counters.items():
            meter.create_observable_counter(f"sre_space.scout.{name}", [_one(value)], "1", text)
        meter.create_observable_counter("sre_space.scout.dropped", [self._dropped], "1", "What was not kept, by reason")
        meter.create_observable_counter(
            "sre_space.scout.refused", [self._refused], "1", "Export requests that were not taken, by google.rpc code"
        )
        gauges = {
            "series": (lambda: self._seen.series, "1", "Series with requests within the retention"),
            "baselines": (lambda: self._seen.baselines, "1", "Series of which is known what is normal"),
            "spans.rate": (lambda: self._seen.spans_per_s, "{span}/s", "Spans taken in a second, over the last minute"),
        }
        for name, (value, unit, text) in gauges.items():
            meter.create_observable_gauge(f"sre_space.scout.{name}", [_one(value)], unit, text)
        meter.create_observable_gauge(
            "sre_space.scout.watermark.age", [self._ages], "s", "How far event time is behind the clock"
        )

    def look(self, state: TelemetryState, refused: Mapping[str, int], scout: Scout) -> None:
        """Take the figures of a tick over; `refused` counts export requests by code."""
        self._seen = _Seen(
            spans=state.spans_total,
            points=state.points_total,
            logs=state.logs_total,
            series=len(state.keys()),
            baselines=scout.baselines,
            spans_per_s=scout.spans_per_s,
            dropped=dict(state.dropped),
            refused=dict(refused),
            watermark_s=state.watermark_s,
        )

    @property
    def watermark_age_s(self) -> float | None:
        """How far event time is behind the clock, None before the first telemetry."""
        watermark_s = self._seen.watermark_s
        return None if watermark_s is None else round(self._clock() - watermark_s, 1)

    def _dropped(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, {"reason": reason}) for reason, count in self._seen.dropped.items()]

    def _refused(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, {"code": code}) for code, count in self._seen.refused.items()]

    def _ages(self, _: CallbackOptions) -> Iterable[Observation]:
        age_s = self.watermark_age_s
        return [] if age_s is None else [Observation(age_s)]


def _one(value: Callable[[], float]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(value())]

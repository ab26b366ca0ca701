"""Synthetic services for the benchmark of detection: weeks of cells, drawn a day at a time with NumPy; seeded."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from telemetry.sketch import bucket_of
from telemetry.state import TICK_S, Cell, Sketch

DAY_S = 86_400
TICKS_A_DAY = DAY_S // TICK_S
_DIURNAL = 0.6  # of the mean, so the peak has four times the requests of the trough
_WANDER_SIGMA = 0.35
_WANDER_S = 7200
_BLIP_S = 10
_LATENCY_BUCKETS = 24
_MEDIAN_MS = 20.0
_SPREAD = 0.4
_BLIP_BUCKET = bucket_of(520.0)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Service:
    """A service with a daily rhythm: its mean rate, its baseline of errors, and whether that wanders."""

    rate_rps: float
    error_ratio: float
    wanders: bool = False
    blips: bool = True


class Draw:
    """Draws the cells of one service, day by day from a Monday 00:00 on, with one blip of 10 s a day."""

    def __init__(self, service: Service, seed: int) -> None:
        self._service = service
        self._rng = np.random.default_rng(seed)
        self._log_wander = 0.0
        levels = (np.arange(_LATENCY_BUCKETS) + 0.5) / _LATENCY_BUCKETS
        self._share = np.full(_LATENCY_BUCKETS, 1 / _LATENCY_BUCKETS)
        self._buckets = [bucket_of(_MEDIAN_MS * float(np.exp(_SPREAD * z))) for z in _normal_quantiles(levels)]

    def day(self, number: int) -> Iterator[tuple[int, Cell | None]]:
        """Yield the start and the cell of every tick of a day; None where no request came."""
        starts = number * DAY_S + TICK_S * np.arange(TICKS_A_DAY)
        rhythm = 1 - _DIURNAL * np.cos(2 * np.pi * (starts % DAY_S) / DAY_S)
        requests: Counts = self._rng.poisson(self._service.rate_rps * TICK_S * rhythm)
        blip = self._blip() if self._service.blips else np.zeros(TICKS_A_DAY)
        hit: Counts = self._rng.binomial(requests, blip)
        errors: Counts = hit + self._rng.binomial(requests - hit, self._ratios())
        latency: Counts = self._rng.multinomial(requests - hit, self._share)
        for start, n, bad, slow, row in zip(starts, requests, errors, hit, latency, strict=True):
            yield int(start), self.cell(int(start), int(n), int(bad), int(slow), row) if n else None

    def failing(self, start_s: int, ratio: float) -> Cell | None:
        """Return the cell of a tick during a fault that fails a share of the requests, at the mean rate."""
        requests = int(self._rng.poisson(self._service.rate_rps * TICK_S))
        latency: Counts = self._rng.multinomial(requests, self._share)
        errors = int(self._rng.binomial(requests, ratio))
        return self.cell(start_s, requests, errors, 0, latency) if requests else None

    def cell(self, start_s: int, requests: int, errors: int, slow: int, latency: Counts) -> Cell:
        """Return a cell with the given counts; `slow` of the requests took 520 ms."""
        sketch = Sketch()
        sketch.buckets = {bucket: n for bucket, n in zip(self._buckets, latency.tolist(), strict=True) if n}
        if slow:
            sketch.buckets[_BLIP_BUCKET] = slow
        sketch.count = requests
        return Cell(start_s, requests, errors, sketch)

    def _blip(self) -> Floats:
        """Return by tick the share of it that lies in the day's blip, which begins at any moment."""
        began_s = self._rng.uniform(0, DAY_S - _BLIP_S)
        starts = TICK_S * np.arange(TICKS_A_DAY)
        inside = np.minimum(starts + TICK_S, began_s + _BLIP_S) - np.maximum(starts, began_s)
        return np.clip(inside / TICK_S, 0, 1)

    def _ratios(self) -> Floats:
        """Return by tick the error ratio: constant, or the exponential of an Ornstein-Uhlenbeck process."""
        if not self._service.wanders:
            return np.full(TICKS_A_DAY, self._service.error_ratio)
        keep = float(np.exp(-60 / _WANDER_S))
        shocks = self._rng.normal(0, _WANDER_SIGMA * np.sqrt(1 - keep**2), DAY_S // 60)
        walk = np.empty(DAY_S // 60)
        for minute, shock in enumerate(shocks):
            self._log_wander = keep * self._log_wander + shock
            walk[minute] = self._log_wander
        ratios = self._service.error_ratio * np.exp(walk - _WANDER_SIGMA**2 / 2)
        return np.repeat(np.minimum(ratios, 1.0), 60 // TICK_S)


def _normal_quantiles(levels: Floats) -> list[float]:
    return [NormalDist().inv_cdf(float(level)) for level in levels]

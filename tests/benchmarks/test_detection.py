"""How often Scout would wake somebody for nothing, and how soon for something: `make bench-detect`.

Services per row (two weeks each), faults, and the first of the seeds are set by SRE_SPACE_BENCH_SERVICES,
SRE_SPACE_BENCH_TRIALS and SRE_SPACE_BENCH_SEED.
"""

import copy
import os
import sys
from statistics import median, quantiles

import pytest

from telemetry.detect import Closing, DetectConfig
from telemetry.detect.series import SeriesMonitor
from telemetry.detect.traffic import Flow, TrafficMonitor
from telemetry.model import SeriesKey
from telemetry.state import Cell
from tests.benchmarks.quiet import DAY_S, Draw, Service

pytestmark = pytest.mark.bench

CONFIG = DetectConfig()
KEY = SeriesKey(service="quote", operation="GET /quote")
CLOSING = Closing(CONFIG.close_after_s)
RATES = (0.2, 2.0, 20.0, 200.0)
BASELINES = ((0.0, False, 0.1), (0.0005, False, 0.1), (0.01, True, 0.6))
SERVICES = int(os.environ.get("SRE_SPACE_BENCH_SERVICES", "2"))
TRIALS = int(os.environ.get("SRE_SPACE_BENCH_TRIALS", "40"))
SEED = int(os.environ.get("SRE_SPACE_BENCH_SEED", "7"))
LEARNERS = 8
GIVE_UP_S = 1800


class Watched:
    """One series under every detector that learns from requests."""

    def __init__(self) -> None:
        self.series = SeriesMonitor(KEY, CONFIG)
        self.traffic = TrafficMonitor(CONFIG)

    def confirmed(self) -> dict[str, bool]:
        """Return by detector whether an anomaly is open."""
        return {
            "D1": self.series.errors.life.is_open,
            "D2": self.series.latency.life.is_open,
            "D4": self.traffic.is_open,
        }

    def step(self, start_s: int, cell: Cell | None) -> tuple[list[str], bool]:
        """Advance by a tick and return the detectors that confirm in it, and whether one was open before."""
        before = self.confirmed()
        self.series.step(start_s, cell, 1, CLOSING)
        self.traffic.step(Flow(start_s, cell.requests if cell else 0, alive=True), 1, CLOSING)
        after = self.confirmed()
        return [name for name in after if after[name] and not before[name]], any(before.values())


def false_alarms(service: Service, seed: int, days: int) -> list[tuple[int, str]]:
    """Return day and detectors of every incident of quiet days; what confirms while one is open belongs to it."""
    draw, watched = Draw(service, seed), Watched()
    found: list[tuple[int, str]] = []
    for day in range(days):
        for start_s, cell in draw.day(day):
            names, was_open = watched.step(start_s, cell)
            if names and not was_open:
                found.append((day, "+".join(names)))
    return found


@pytest.mark.parametrize(("ratio", "wanders", "bound"), BASELINES)
def test_quiet_weeks(ratio: float, wanders: bool, bound: float):  # noqa: FBT001 - a parameter of the test
    """Print false incidents per service and week, of the first week (a new service) and of the second."""
    lines, total = [f"\nbaseline {100 * ratio:g} %{' wandering' if wanders else ''}, {SERVICES} services, 2 weeks"], 0
    for rate in RATES:
        found = [
            alarm
            for seed in range(SERVICES)
            for alarm in false_alarms(Service(rate, ratio, wanders), 1000 * seed + SEED, 14)
        ]
        total += len(found)
        first = sum(day < 7 for day, _ in found) / SERVICES
        lines.append(
            f"  {rate:6g} rps  first week {first:.2f}  second week {len(found) / SERVICES - first:.2f}  "
            f"{', '.join(f'day {day} {names}' for day, names in found)}"
        )
    sys.stdout.write("\n".join(lines) + f"\n  all rates: {total / (2 * SERVICES * len(RATES)):.3f}, bound {bound}\n")
    assert total / (2 * SERVICES * len(RATES)) < bound


@pytest.mark.parametrize(("ratio", "wanders"), [(0.0005, False), (0.01, True)])
def test_time_to_confirm(ratio: float, wanders: bool):  # noqa: FBT001 - a parameter of the test
    """Print after how many seconds of event time a fault is confirmed; the faults hit 8 services of a day each.

    The medians of total outages and of a fifth of failing requests are held from 2 rps on.
    """
    late: list[str] = []
    lines = [f"\nbaseline {100 * ratio:g} %{' wandering' if wanders else ''}, {TRIALS} faults: median / p95 s, missed"]
    for rate in RATES:
        services = [_learned(Service(rate, ratio, wanders, blips=False), 1000 * n + SEED) for n in range(LEARNERS)]
        shown: list[str] = []
        for failing in (1.0, 0.5, 0.2):
            hit = [services[trial % LEARNERS] for trial in range(TRIALS)]
            took = [_confirmed_after(copy.deepcopy(watched), draw, failing) for draw, watched in hit]
            came = [seconds for seconds in took if seconds is not None]
            middle = median(s or GIVE_UP_S for s in took)
            shown.append(f"{failing:4.0%} {middle:4g} / {quantiles(came, n=20)[-1]:4g}, {len(took) - len(came)}")
            if rate >= 2 and failing in {1.0, 0.2}:
                late += [f"{rate:g} rps, {shown[-1]}"] if middle > {1.0: 15, 0.2: 35}[failing] else []
        lines.append(f"  {rate:6g} rps  " + "   ".join(shown))
    sys.stdout.write("\n".join(lines) + "\n")
    assert late == []


def _learned(service: Service, seed: int) -> tuple[Draw, Watched]:
    draw, watched = Draw(service, seed), Watched()
    for start_s, cell in draw.day(0):
        watched.step(start_s, cell)
    return draw, watched


def _confirmed_after(watched: Watched, draw: Draw, ratio: float) -> int | None:
    for passed in range(0, GIVE_UP_S, CONFIG.tick_s):
        names, _ = watched.step(DAY_S + passed, draw.failing(DAY_S + passed, ratio))
        if "D1" in names:
            return passed + CONFIG.tick_s
    return None

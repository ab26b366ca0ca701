"""What an incident over very many services costs, whose database fails: a part of `make bench-ingest`."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.allocator import suit_telemetry
from telemetry.model import Signal
from telemetry.scout import Scout
from telemetry.steps import Steps
from telemetry.testing import DATABASE, FanOut, Fault

CALM_S, FAULT_S = 200, 60
REQUESTS_EACH_S = 2.0


@dataclass
class Cost:
    """Milliseconds of processor time of the costliest tick, and of the longest stretch that it held the event loop."""

    tick: float = 0.0
    stretch: float = 0.0
    signals: list[Signal] = field(default_factory=list[Signal])


class _MeasuredScout(Scout):
    """Scout whose ticks are measured."""

    cost = Cost()

    def tick(self, now_s: float) -> list[Signal]:
        signals: list[Signal] = []
        took = list(_stretches(self.steps(now_s), signals))
        self.cost.tick = max(self.cost.tick, sum(took))
        self.cost.stretch = max(self.cost.stretch, *took)
        self.cost.signals += signals
        return signals


def _stretches(steps: Steps[list[Signal]], signals: list[Signal]) -> Iterator[float]:
    while True:
        started = time.process_time()
        try:
            next(steps)
        except StopIteration as done:
            signals += done.value
            yield 1_000 * (time.process_time() - started)
            return
        yield 1_000 * (time.process_time() - started)


def measure_wide(services: int) -> None:
    """Print what the costliest tick takes, calm and while up to `services` services fail, and what is told then."""
    suit_telemetry()
    heads = f"{'calm, ms':>10}{'fault, ms':>11}{'stretch':>9}{'anomalies':>11}{'signal, KB':>12}"
    _print(f"\n{'failing services':16}{heads}")
    for count in (services // 10, services // 3, services):
        shop = FanOut([f"service-{number:04}" for number in range(count)], rate_rps=REQUESTS_EACH_S * count)
        shop.run(CALM_S)
        shop.scout.__class__ = _MeasuredScout
        calm = _MeasuredScout.cost = Cost()
        shop.run(FAULT_S // 2)
        fault = _MeasuredScout.cost = Cost()
        shop.run(FAULT_S, {DATABASE: Fault(error_ratio=1.0)})
        told = fault.signals[-1]
        anomalies = len(told.anomalies) + told.more_anomalies
        size_kb = len(told.model_dump_json().encode()) / 1_000
        figures = f"{calm.tick:10.0f}{fault.tick:11.0f}{fault.stretch:9.0f}{anomalies:11,}{size_kb:12.0f}"
        _print(f"{count:16,}{figures}")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

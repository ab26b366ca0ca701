"""What an incident over very many services costs, whose database fails: a part of `make bench-ingest`."""

import sys
from collections.abc import Mapping

from bot.allocator import suit_telemetry
from telemetry.model import Signal
from telemetry.state import TICK_S
from telemetry.testing import DATABASE, FanOut, Fault
from tests.benchmarks.ticks import stretches

CALM_S, FAULT_S = 200, 60
REQUESTS_EACH_S = 2.0


class _Shop(FanOut):
    """A shop whose ticks of detection are measured: the stretches of each, in milliseconds of processor time."""

    def __init__(self, services: int) -> None:
        super().__init__([f"service-{number:04}" for number in range(services)], rate_rps=REQUESTS_EACH_S * services)
        self.took: list[list[float]] = []

    def run(self, seconds: int, faults: Mapping[str, Fault] | None = None) -> list[Signal]:
        """Let time pass and return the signals that came."""
        came: list[Signal] = []
        self.took = []
        for _ in range(seconds // TICK_S):
            self._tick(faults or {})
            signals, took = stretches(self.scout.steps(self.now_s))
            came += signals
            self.took.append(took)
        return came


def measure_wide(services: int) -> None:
    """Print what the costliest tick takes, calm and while up to `services` services fail, and what is told then."""
    suit_telemetry()
    heads = f"{'calm, ms':>10}{'fault, ms':>11}{'stretch':>9}{'anomalies':>11}{'signal, KB':>12}"
    _print(f"\n{'failing services':16}{heads}")
    for count in (services // 10, services // 3, services):
        shop = _Shop(count)
        shop.run(CALM_S)
        shop.run(FAULT_S // 2)
        calm = max(map(sum, shop.took))
        told = shop.run(FAULT_S, {DATABASE: Fault(error_ratio=1.0)})[-1]
        fault, stretch = max(map(sum, shop.took)), max(map(max, shop.took))
        anomalies = len(told.anomalies) + told.more_anomalies
        size_kb = len(told.model_dump_json().encode()) / 1_000
        _print(f"{count:16,}{calm:10.0f}{fault:11.0f}{stretch:9.0f}{anomalies:11,}{size_kb:12.0f}")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

"""What a tick of detection costs, and how long it holds the event loop at once: a part of `make bench-ingest`."""

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from bot.allocator import suit_telemetry
from telemetry.detect import DetectConfig
from telemetry.detect.memory import TrafficMemory
from telemetry.memory.model import Incidents, Normal, NormalPlace
from telemetry.otlp.span_columns import decode_columns
from telemetry.scout import Scout
from telemetry.state import TICK_S, Place, TelemetryState
from telemetry.steps import Steps
from tests.benchmarks.otlp_load import DEPTH, Load, again, block, moved

T = TypeVar("T")

SERVICES, OPERATIONS = 1_000, 20


def measure_ticks(ticks: int) -> None:
    """Print what a tick of detection over 20,000 series costs when all, a tenth, or none of them had requests.

    `stretch` is the longest that the event loop is held at once, in a tick and in a dump of what was learned.
    """
    suit_telemetry()
    heads = f"{'tick, ms':>10}{'longest':>9}{'stretch':>9}{'dump':>8}{'stretch':>9}{'ingest':>8}"
    _print(f"\n{'series with requests':22}{heads}")
    for share in (1.0, 0.1, 0.0):
        fed, cost, dump = _ticks(ticks, share)
        whole_ticks = [sum(stretches) for stretches in cost]
        _print(
            f"{share:22.0%}{statistics.median(whole_ticks):10.0f}{max(whole_ticks):9.0f}"
            f"{max(map(max, cost)):9.0f}{sum(dump):8.0f}{max(dump):9.0f}{statistics.median(fed):8.0f}"
        )


def _ticks(ticks: int, share: float) -> tuple[list[float], list[list[float]], list[float]]:
    """Return milliseconds: of taking in the spans of each tick, of the stretches of Scout's, and of those of a dump.

    What is usual is known of every series, as after a restart, so that D4 has to judge those that send.
    """
    now_s = 1_700_000_000.0
    state = TelemetryState(clock=lambda: now_s)
    scout = Scout(state)
    load = Load(DEPTH, OPERATIONS, OPERATIONS * 3)
    templates = [load.batch(now_s).SerializeToString() for _ in range(DEPTH)]
    first = block(now_s)
    fed: list[float] = []
    cost: list[list[float]] = []
    for tick in range(ticks + 5):
        now_s += TICK_S
        served = SERVICES if tick < 5 else max(1, int(SERVICES * share))
        bodies = list(_bodies(templates, served, tick, (first, block(now_s))))
        started = time.process_time()
        for body in bodies:
            state.add_spans("default", decode_columns(body))
        fed.append(1_000 * (time.process_time() - started))
        if tick == 0:
            _teach(scout, state, share)
        cost.append(stretches(scout.steps(now_s))[1])
    return fed[5:], cost[5:], stretches(scout.dump_steps())[1]


def stretches(steps: Steps[T]) -> tuple[T, list[float]]:
    """Return the result, and the milliseconds of processor time of each stretch that the event loop would be held."""
    took: list[float] = []
    while True:
        started = time.process_time()
        try:
            next(steps)
        except StopIteration as done:
            took.append(1_000 * (time.process_time() - started))
            return done.value, took
        took.append(1_000 * (time.process_time() - started))


def _teach(scout: Scout, state: TelemetryState, share: float) -> None:
    """Let what came so far be usual for a share of the series, by the order in which they came, nothing for others."""
    keys = state.keys()
    traffic: dict[Place, list[TrafficMemory]] = {}
    for number, key in enumerate(keys):
        requests = sum(cell.requests for cell in state.cells(key, 0, 2**40))
        rates = [requests / TICK_S if number < share * len(keys) else 0.0] * DetectConfig().traffic_recent_kept
        memory = TrafficMemory(key.service, key.operation, {}, rates, 1.0)
        traffic.setdefault((key.tenant, key.environment), []).append(memory)
    scout.load(Normal([NormalPlace(*place, [], [], learned) for place, learned in traffic.items()]), Incidents())


def _bodies(templates: Sequence[bytes], services: int, tick: int, blocks: tuple[int, int]) -> Iterator[bytes]:
    for number in range(services):
        at = number % DEPTH
        yield again(moved(templates[at], (at, number), blocks), tick * SERVICES + number // DEPTH)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

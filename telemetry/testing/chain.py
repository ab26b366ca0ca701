"""A simulated chain of services (each calls the next), whose telemetry goes to a real state and a real Scout."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from telemetry.detect import DetectConfig
from telemetry.model import SeriesKey, Signal
from telemetry.scout import Scout
from telemetry.state import TICK_S, TelemetryState
from telemetry.testing.otlp import Call, Where, gauges, traces

_HOP_MS = 1.0

Send = Callable[[ExportTraceServiceRequest], None]
"""How spans reach the state: directly, or over a receiver."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How one service behaves. A caller gives up on its callee after `timeout_ms`."""

    error_ratio: float = 0.0
    error: str = "RuntimeError"
    extra_ms: float = 0.0
    timeout_ms: float = 1e9
    pool_used: float | None = None
    pool_pending: float = 0.0


CALM = Fault()


@dataclass(frozen=True, slots=True)
class Outcome:
    """When a request or call ended, and whether it failed."""

    end_s: float
    failed: bool


class Chain:
    """Services in calling order, loaded at `rate_rps` from the front; seeded and in event time of its own."""

    def __init__(
        self,
        services: Sequence[str] = ("gateway", "quote", "pricing"),
        rate_rps: float = 12.0,
        seed: int = 1,
        config: DetectConfig | None = None,
        send: Send | None = None,
    ) -> None:
        self.now_s = 1_700_000_000
        self.state = TelemetryState(clock=lambda: float(self.now_s))
        self.scout = Scout(self.state, config=config)
        self.signals: list[Signal] = []
        self.where = {service: Where(service) for service in services}
        self._services = tuple(services)
        self._send = send or self._take
        self._rate_rps = rate_rps
        self._random = Random(seed)
        self._ids = 0

    def key(self, service: str) -> SeriesKey:
        """Return the one series of a service."""
        return SeriesKey(service=service, operation=f"GET /{service}")

    def deploy(self, service: str, revision: str) -> None:
        """Run another revision of a service from now on."""
        self.where[service] = replace(self.where[service], revision=revision, instance=revision)

    def restart(self, config: DetectConfig | None = None) -> None:
        """Lose the state and Scout, as a restart does; what survives one is up to the caller."""
        self.state = TelemetryState(clock=lambda: float(self.now_s))
        self.scout = Scout(self.state, config=config)

    def run(self, seconds: int, faults: Mapping[str, Fault] | None = None) -> list[Signal]:
        """Let time pass and return the signals that came."""
        came: list[Signal] = []
        for _ in range(seconds // TICK_S):
            self._tick(faults or {})
            came += self.scout.tick(self.now_s)
        self.signals += came
        return came

    def _tick(self, faults: Mapping[str, Fault]) -> None:
        spans: dict[str, list[Call]] = {service: [] for service in self._services}
        at_s = self.now_s + self._random.expovariate(self._rate_rps)
        while at_s < self.now_s + TICK_S:
            self._ids += 1
            self._serve(0, self._ids, 0, at_s, faults, spans)
            at_s += self._random.expovariate(self._rate_rps)
        self.now_s += TICK_S
        for service, calls in spans.items():
            self._send(traces(self.where[service], calls))
            self._pool(service, faults.get(service, CALM))

    def _take(self, request: ExportTraceServiceRequest) -> None:
        self.state.add_traces("default", request)

    def _pool(self, service: str, fault: Fault) -> None:
        if fault.pool_used is None:
            return
        where, at_s, name = self.where[service], self.now_s - 1, {"db.client.connection.pool.name": "main"}
        used = {**name, "db.client.connection.state": "used"}
        values = {"db.client.connection.max": 2.0, "db.client.connection.pending_requests": fault.pool_pending}
        self.state.add_metrics("default", gauges(where, at_s, {"db.client.connection.count": fault.pool_used}, used))
        self.state.add_metrics("default", gauges(where, at_s, values, name))

    def _serve(
        self,
        depth: int,
        trace: int,
        parent: int,
        start_s: float,
        faults: Mapping[str, Fault],
        spans: dict[str, list[Call]],
    ) -> Outcome:
        service = self._services[depth]
        fault = faults.get(service, CALM)
        self._ids += 1
        span = self._ids
        own_s = (5 * self._random.lognormvariate(0, 0.4) + fault.extra_ms) / 1000
        error = fault.error if self._random.random() < fault.error_ratio else ""
        end_s = start_s + own_s
        if not error and depth + 1 < len(self._services):
            outcome = self._call(depth, trace, span, end_s, faults, spans)
            end_s, error = outcome.end_s, "UpstreamError" if outcome.failed else ""
        name = self.key(service).operation
        kind = Span.SPAN_KIND_SERVER
        spans[service].append(Call(trace, span, parent, name, kind, start_s, end_s, error, f"{service} failed"))
        return Outcome(end_s, bool(error))

    def _call(
        self,
        depth: int,
        trace: int,
        parent: int,
        start_s: float,
        faults: Mapping[str, Fault],
        spans: dict[str, list[Call]],
    ) -> Outcome:
        """Call the next service; the caller's span ends at its time-out, the callee's when it is done."""
        self._ids += 1
        span = self._ids
        outcome = self._serve(depth + 1, trace, span, start_s + _HOP_MS / 1000, faults, spans)
        service = self._services[depth]
        limit_s = start_s + faults.get(service, CALM).timeout_ms / 1000
        late = outcome.end_s > limit_s
        end_s = min(outcome.end_s + _HOP_MS / 1000, limit_s)
        error = "TimeoutError" if late else "UpstreamError" if outcome.failed else ""
        kind = Span.SPAN_KIND_CLIENT
        spans[service].append(Call(trace, span, parent, "GET", kind, start_s, end_s, error, "no answer"))
        return Outcome(end_s, bool(error))

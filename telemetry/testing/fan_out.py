"""A simulated gateway in front of several services that share one database, which sends no telemetry of its own."""

from collections.abc import Mapping, Sequence

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from telemetry.testing.chain import CALM, Chain, Fault, Outcome
from telemetry.testing.otlp import Call

GATEWAY = "gateway"
DATABASE = "postgresql:shop-db:5432"
"""The database as the service graph names it, and the key of its faults."""

_DATABASE = {"db.system.name": "postgresql", "server.address": "shop-db", "server.port": "5432"}
_HOP_S = 0.001


class FanOut(Chain):
    """Each request goes from the gateway to one of the services, and from there to the database."""

    def __init__(self, services: Sequence[str], rate_rps: float = 30.0, seed: int = 1) -> None:
        super().__init__((GATEWAY, *services), rate_rps, seed)

    def _serve(
        self,
        depth: int,
        trace: int,
        parent: int,
        start_s: float,
        faults: Mapping[str, Fault],
        spans: dict[str, list[Call]],
    ) -> Outcome:
        """Serve at the gateway (depth 0) or at one of the services, which calls the database."""
        service = self._random.choice(self._services[1:]) if depth else GATEWAY
        span, call = self._ids + 1, self._ids + 2
        self._ids += 2
        fault = faults.get(service, CALM)
        error = fault.error if self._random.random() < fault.error_ratio else ""
        began_s = start_s + (5 * self._random.lognormvariate(0, 0.4) + fault.extra_ms) / 1000
        end_s = began_s
        if not error:
            inner = self._database(began_s, faults) if depth else self._serve(1, trace, call, began_s, faults, spans)
            end_s, error = inner.end_s + _HOP_S, "UpstreamError" if inner.failed else ""
            name, where = ("SELECT shop", _DATABASE) if depth else ("GET", {})
            kind = Span.SPAN_KIND_CLIENT
            spans[service].append(Call(trace, call, span, name, kind, began_s, end_s, error, "no answer", where))
        name, kind = self.key(service).operation, Span.SPAN_KIND_SERVER
        spans[service].append(Call(trace, span, parent, name, kind, start_s, end_s, error, f"{service} failed"))
        return Outcome(end_s, bool(error))

    def _database(self, start_s: float, faults: Mapping[str, Fault]) -> Outcome:
        fault = faults.get(DATABASE, CALM)
        took_ms = 4 * self._random.lognormvariate(0, 0.4) + fault.extra_ms
        return Outcome(start_s + took_ms / 1000, self._random.random() < fault.error_ratio)

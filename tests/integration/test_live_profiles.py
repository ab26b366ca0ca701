"""From OTLP spans and log records of a shop to the culprit, by what its services do differently."""

from dataclasses import dataclass, field

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.testclient import TestClient

from agents.diagnosis import CauseKind
from agents.rca import diagnose, rank
from telemetry.evidence.profiles import work
from telemetry.evidence.scope import Scope
from telemetry.model import EvidenceBundle, Signal
from telemetry.otlp.app import create_receiver
from telemetry.scout import Scout
from telemetry.state import TelemetryState
from telemetry.steps import whole
from telemetry.testing.otlp import Call, Where, traces

SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
TICK_S = 5
RPS = 8
PROTOBUF = {"content-type": "application/x-protobuf"}


@dataclass
class Sent:
    """What a request leaves behind: spans, and log records as time, span, severity and body, by service."""

    spans: dict[str, list[Call]] = field(default_factory=dict[str, list[Call]])
    logs: dict[str, list[tuple[float, Call, int, str]]] = field(default_factory=dict)

    def span(self, service: str, call: Call) -> Call:
        """Note a span."""
        self.spans.setdefault(service, []).append(call)
        return call

    def log(self, service: str, call: Call, at_s: float, body: str, severity: int = 9) -> None:
        """Note a log record."""
        self.logs.setdefault(service, []).append((at_s, call, severity, body))


class Shop:
    """The front calls orders, which reserves at stock, and prices; a fault changes what orders does, or its calls."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000
        self.state = TelemetryState(clock=lambda: float(self.now_s))
        self.scout = Scout(self.state)
        self._client = TestClient(create_receiver(self.state))
        self._ids = 0

    def run(self, seconds: int, fault: str = "") -> list[Signal]:
        """Let time pass under load and return the signals that came."""
        signals: list[Signal] = []
        for _ in range(seconds // TICK_S):
            sent = Sent()
            for n in range(RPS * TICK_S):
                self._request(self.now_s + n / RPS, fault, sent)
            self.now_s += TICK_S
            for service, calls in sent.spans.items():
                self._post("/v1/traces", traces(Where(service), calls))
            for service, records in sent.logs.items():
                self._post("/v1/logs", logs(service, records))
            signals += self.scout.tick(self.now_s)
        return signals

    def _post(self, path: str, request: object) -> None:
        answer = self._client.post(path, content=request.SerializeToString(), headers=PROTOBUF)
        assert answer.status_code == 200

    def _call(self, parent: Call | None, trace: int, name: str, kind: int, start_s: float, ms: float, error="") -> Call:
        self._ids += 1
        return Call(trace, self._ids, parent.span if parent else 0, name, kind, start_s, start_s + ms / 1000, error)

    def _request(self, at_s: float, fault: str, sent: Sent) -> None:
        self._ids += 1
        trace, late_ms = self._ids, 400.0 if fault == "slow way" else 0.0
        refused = "OrderError" if fault == "exception" else ""
        spread = 1 + trace % 7 / 10
        front = sent.span(
            "front",
            self._call(
                None, trace, "POST /buy", SERVER, at_s, 60 * spread + late_ms, "502" if fault and not late_ms else ""
            ),
        )
        way = sent.span("front", self._call(front, trace, "POST", CLIENT, at_s + 0.002, 40 * spread + late_ms, refused))
        orders = sent.span(
            "orders", self._call(way, trace, "POST /order", SERVER, at_s + 0.004, 36 * spread + late_ms, refused)
        )
        sent.log("orders", orders, at_s + 0.005, f"o.s.Orders#12 placing order {trace}")
        if fault == "exception":
            sent.log("orders", orders, at_s + 0.006, "o.s.Orders#40 cannot place the order", 17)
        elif fault != "missing work":
            to_stock = sent.span(
                "orders", self._call(orders, trace, "POST", CLIENT, at_s + 0.008, 12 * spread + late_ms)
            )
            sent.span(
                "stock", self._call(to_stock, trace, "POST /reserve", SERVER, at_s + 0.009 + late_ms / 2000, 8 * spread)
            )
            sent.log("orders", orders, at_s + 0.030 + late_ms / 1000, "o.s.Orders#17 reserved at stock")
        else:
            sent.log("orders", orders, at_s + 0.030, "o.s.Orders#21 nothing to reserve")
        prices = sent.span("front", self._call(front, trace, "GET", CLIENT, at_s + 0.044, 10 * spread))
        sent.span("prices", self._call(prices, trace, "GET /price", SERVER, at_s + 0.045, 6 * spread))


def logs(service: str, records: list[tuple[float, Call, int, str]]) -> ExportLogsServiceRequest:
    """Return an export request with the log records of a service."""
    request = ExportLogsServiceRequest()
    resource = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value=service))])
    scope = request.resource_logs.add(resource=resource).scope_logs.add()
    for at_s, call, severity, body in records:
        record = LogRecord(time_unix_nano=int(at_s * 1e9), severity_number=severity, body=AnyValue(string_value=body))
        record.trace_id, record.span_id = call.trace.to_bytes(16, "big"), call.span.to_bytes(8, "big")
        scope.log_records.append(record)
    return request


def shown(bundle: EvidenceBundle, kind: str) -> set[str]:
    """Return the ids of one kind of evidence."""
    return {item.id for item in bundle.items if item.kind == kind}


@pytest.mark.parametrize(
    ("fault", "culprit", "kind", "by"),
    [
        ("exception", "orders", CauseKind.EXCEPTION, "flow"),
        ("missing work", "orders", CauseKind.MISSING_WORK, "flow"),
        ("slow way", "stock", CauseKind.NETWORK_DELAY, "time"),
    ],
)
def test_the_culprit_is_found_by_what_the_code_does(fault: str, culprit: str, kind: CauseKind, by: str) -> None:
    """The first signal, seconds after the onset, names service and kind, and its claims cite flows and times."""
    shop = Shop()
    assert shop.run(180) == []
    signal = shop.run(60, fault)[0]
    found = diagnose(signal)
    assert (found.service, found.kind) == (culprit, kind)
    cited = {name for claim in found.claims for name in claim.evidence}
    assert cited & shown(signal.evidence, by)
    assert len(signal.evidence.model_dump_json()) < 256 * 1024


def test_minutes_after_the_onset_count_like_the_traces_of_now() -> None:
    """Of a fault that goes on, all but the rest of its first minute is still known."""
    shop = Shop()
    shop.run(240)
    onset_s = shop.now_s
    shop.run(240, "missing work")
    minutes = shop.state.profiles("default", "default", onset_s, shop.now_s)
    assert len(minutes) >= 3
    assert sum(found.traces for found in minutes) >= 0.7 * 240 * RPS


def test_a_healthy_window_with_flows_and_times_ranks_nobody() -> None:
    """What the live profile holds of two calm stretches is evidence of nothing."""
    shop = Shop()
    shop.run(240)
    onset_s = shop.now_s - 40
    services = frozenset({"front", "orders", "stock", "prices"})
    scope = Scope(
        tenant="default",
        environment="default",
        root="front",
        affected=services,
        broken=frozenset(),
        near=services,
        normal_s=(onset_s - 180, onset_s),
        fault_s=(onset_s, shop.now_s),
    )
    found = whole(work(shop.state, scope))
    assert found.ways
    items = (*found.flows, *found.ways, *found.own)
    assert rank(EvidenceBundle(normal=scope.normal, fault=scope.fault, items=items)) == ()

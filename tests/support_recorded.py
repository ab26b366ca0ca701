"""Recorded telemetry of a small shop with a fault in it, written as the Collector's file exporter does."""

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import zstandard
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MS = 1_000_000
S = 1_000 * MS
START_NS = 1_700_000_000 * S
NORMAL = [(START_NS, START_NS + 60 * S), (START_NS + 60 * S, START_NS + 120 * S)]
FAULT = (START_NS + 120 * S, START_NS + 180 * S)


@dataclass
class Shop:
    """Requests run front → cart and front → stock → store; `fault` is where and what goes wrong in the last minute.

    Names go through `names`, times are later by `later_ns`, ids and the order of everything come from `seed`.
    """

    fault: tuple[str, str] | None = None
    names: dict[str, str] = field(default_factory=dict[str, str])
    later_ns: int = 0
    seed: int = 1

    def write(self, folder: Path) -> Path:
        """Write traces, logs, metrics and `cases.jsonl` into a folder and return it."""
        folder.mkdir(parents=True, exist_ok=True)
        chance = Random(self.seed)
        spans, logs, points = self._rows(chance)
        for rows in (spans, logs, points):
            chance.shuffle(rows)
        requests = {"traces": _traces(spans), "logs": _logs(logs), "metrics": _metrics(points)}
        for name, request in requests.items():
            packed = zstandard.compress(request.SerializeToString())
            (folder / f"{name}.otlp.zst").write_bytes(struct.pack(">I", len(packed)) + packed)
        move = [[a + self.later_ns, b + self.later_ns] for a, b in (*NORMAL, FAULT)]
        case = {"case": folder.name, "normal": move[:2], "fault": move[2]}
        (folder / "cases.jsonl").write_text(json.dumps(case) + "\n")
        return folder

    def _rows(self, chance: Random):
        spans, logs, points = [], [], []
        for second in range(180):
            at_ns = START_NS + second * S + self.later_ns
            broken = self.fault if second >= 120 else None
            self._request(chance, at_ns, second, broken, spans, logs)
            if second % 15 == 0:
                for service in ("front", "cart", "stock", "store"):
                    busy = 0.95 if broken == (service, "cpu") else 0.05 + 0.01 * (second % 2)
                    points.append((self._name(service), at_ns + 500 * MS, busy))
        return spans, logs, points

    def _request(self, chance, at_ns, second, broken, spans, logs):
        trace = chance.randbytes(16)
        delay = {service: 200 if broken == (service, "network") else 0 for service in ("cart", "stock", "store")}
        jitter = second % 5
        front = self._span(spans, trace, chance, "front", "GET /", b"", at_ns, 100 + jitter + sum(delay.values()))
        to_cart = self._span(spans, trace, chance, "front", "call cart", front, at_ns + MS, 13 + delay["cart"])
        self._span(spans, trace, chance, "cart", "POST /cart", to_cart, at_ns + 2 * MS, 10 + jitter % 2)
        to_stock = self._span(spans, trace, chance, "front", "call stock", front, at_ns + 20 * MS, 43 + delay["stock"])
        stock = self._span(spans, trace, chance, "stock", "GET /stock", to_stock, at_ns + 22 * MS, 40)
        stops = broken == ("stock", "exception")
        returns = broken == ("stock", "return")
        sites = ["Stock#10"] if stops else ["Stock#10", "Stock#17"] if returns else ["Stock#10", "Stock#12"]
        for n, site in enumerate(sites):
            severity = 17 if site == "Stock#17" else 9
            logs.append(
                (self._name("stock"), trace, stock, at_ns + (25 + n) * MS, f"INFO {site} item {second}", severity)
            )
        if not (stops or returns):
            call = self._span(spans, trace, chance, "stock", "call store", stock, at_ns + 30 * MS, 8 + delay["store"])
            self._span(spans, trace, chance, "store", "SELECT", call, at_ns + 31 * MS, 6)

    def _span(self, spans, trace, chance, service, name, parent, start_ns, ms) -> bytes:
        span_id = chance.randbytes(8)
        spans.append((self._name(service), trace, span_id, parent, name, start_ns, start_ns + ms * MS))
        return span_id

    def _name(self, service: str) -> str:
        return self.names.get(service, service)


def _resource(group, service: str) -> None:
    for key, value in {"service.name": service, "k8s.pod.name": f"{service}-7d9f-x2x"}.items():
        group.resource.attributes.add(key=key).value.string_value = value


def _traces(rows) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for service, trace, span_id, parent, name, start_ns, end_ns in rows:
        group = request.resource_spans.add()
        _resource(group, service)
        span = group.scope_spans.add().spans.add(trace_id=trace, span_id=span_id, parent_span_id=parent, name=name)
        span.start_time_unix_nano, span.end_time_unix_nano = start_ns, end_ns
    return request


def _logs(rows) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    for service, trace, span_id, at_ns, body, severity in rows:
        group = request.resource_logs.add()
        _resource(group, service)
        record = group.scope_logs.add().log_records.add(trace_id=trace, span_id=span_id, time_unix_nano=at_ns)
        record.body.string_value, record.severity_number = body, severity
    return request


def _metrics(rows) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    for service, at_ns, value in rows:
        group = request.resource_metrics.add()
        _resource(group, service)
        metric = group.scope_metrics.add().metrics.add(name="k8s.pod.cpu_limit_utilization", unit="1")
        metric.gauge.data_points.add(time_unix_nano=at_ns, as_double=value)
    return request

"""Telemetry that is well-formed and means harm: what Scout tells of it can be read, and holds no secret."""

from collections.abc import Iterator
from random import Random
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.model import Signal
from telemetry.scout import Scout
from telemetry.state import TelemetryState
from telemetry.steps import whole

T0 = 1_700_000_000
NS = 1_000_000_000
STEPS, CALM_STEPS = 60, 40
SECRETS = ("AKIAIOSFODNN7EXAMPLE", "hunter2hunter2")
HIDDEN = ("\u202e", "<!--", "\x07", "\x1b")
NAMES = ("", "a" * 5_000, "\u202eevil\u202c", "<!-- hidden -->", "\x00\x07\x1b[31m", "@org/team `#1` [x](javascript:1)")
TEXTS = (*NAMES, "password=hunter2hunter2", "key AKIAIOSFODNN7EXAMPLE", "héllo ✓", "https://user:hunter2hunter2@host/x")
SERVICES = ("front", "quote", "cart", "<!-- s -->", "\u202eevil", "a" * 300)
NUMBERS = (0.0, 1.0, -1.0, 0.9, 1e308, -1e308, float("nan"), float("inf"), float("-inf"), 5e-324)
WHOLE = (0, 1, -1, 2**63 - 1, -(2**63))
KEYS = ("http.route", "db.system.name", "server.address", "exception.type", "exception.message", "service.version")
KEYS += ("exception.stacktrace", "deployment.environment.name", "db.client.connection.state", "vcs.ref.head.revision")
METRICS = ("db.client.connection.count", "db.client.connection.max", "process.memory.usage", "container.memory.limit")
METRICS += ("system.cpu.utilization", "db.client.connection.pending_requests", "requests")


class Attacker:
    """Makes export requests, seeded; `now_s` is the time that they are of."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now_s = T0

    def _time_ns(self) -> int:
        random = self.random
        if random.random() < 0.97:
            return int((self.now_s - random.random() * 5) * NS)
        return random.choice((0, 1, 2**64 - 1, 2**63, (self.now_s + 10**6) * NS, (self.now_s - 10**5) * NS))

    def _value(self, value: Any, depth: int = 0) -> None:
        random = self.random
        match random.randrange(7):
            case 0:
                value.int_value = random.choice(WHOLE)
            case 1:
                value.double_value = random.choice(NUMBERS)
            case 2:
                value.bytes_value = b"\xff\x00"
            case 3 if depth < 3:
                self._value(value.array_value.values.add(), depth + 1)
            case 4 if depth < 3:
                self._value(value.kvlist_value.values.add(key=random.choice(TEXTS)).value, depth + 1)
            case _:
                value.string_value = random.choice(TEXTS)

    def _attributes(self, attributes: Any, most: int = 4) -> None:
        for _ in range(self.random.randrange(most)):
            self._value(attributes.add(key=self.random.choice((*KEYS, *TEXTS))).value)

    def _scopes(self, groups: Any, scopes: str) -> Iterator[Any]:
        for service in self.random.sample(SERVICES, 3):
            group = groups.add()
            group.resource.attributes.add(key="service.name").value.string_value = service
            self._attributes(group.resource.attributes, 3)
            yield getattr(group, scopes).add()

    def traces(self, *, failing: bool) -> ExportTraceServiceRequest:
        """Return traces of which half of the spans fail, or one in a hundred."""
        request, random = ExportTraceServiceRequest(), self.random
        for scope in self._scopes(request.resource_spans, "scope_spans"):
            for _ in range(5):
                trace_id, parent = random.randbytes(16), b""
                for kind in (2, 1, 3, 5, 4, 0, 9):
                    end_ns = self._time_ns()
                    start_ns = random.choice((0, end_ns, min(2**64 - 1, end_ns + 5), max(0, end_ns - 10**7)))
                    name = random.choice(TEXTS) if random.random() < 0.3 else "GET /"
                    ids = {"trace_id": trace_id, "span_id": random.randbytes(8), "parent_span_id": parent}
                    times = {"start_time_unix_nano": start_ns, "end_time_unix_nano": end_ns}
                    span = scope.spans.add(**ids, **times, name=name, kind=kind)
                    parent = span.span_id
                    self._attributes(span.attributes)
                    if random.random() < (0.5 if failing else 0.01):
                        span.status.code, span.status.message = 2, random.choice(TEXTS)
                        self._attributes(span.events.add(name="exception").attributes, 5)
        return request

    def metrics(self) -> ExportMetricsServiceRequest:
        """Return gauges, sums and histograms of numbers that nobody can have measured, among others."""
        request, random = ExportMetricsServiceRequest(), self.random
        for scope in self._scopes(request.resource_metrics, "scope_metrics"):
            for _ in range(10):
                metric = scope.metrics.add(name=random.choice(METRICS), unit=random.choice(("1", "By", "")))
                if random.random() < 0.1:
                    metric.histogram.data_points.add(
                        time_unix_nano=self._time_ns(), sum=random.choice(NUMBERS), count=1
                    )
                    continue
                data = random.choice((metric.gauge, metric.gauge, metric.sum))
                if data is metric.sum:
                    data.aggregation_temporality, data.is_monotonic = random.randrange(4), random.random() < 0.5
                point = data.data_points.add(time_unix_nano=self._time_ns(), start_time_unix_nano=self._time_ns())
                if random.random() < 0.7:
                    point.as_double = random.choice(NUMBERS)
                else:
                    point.as_int = random.choice(WHOLE)
                self._attributes(point.attributes, 3)
        return request

    def logs(self) -> ExportLogsServiceRequest:
        """Return records of any severity."""
        request, random = ExportLogsServiceRequest(), self.random
        for scope in self._scopes(request.resource_logs, "scope_logs"):
            for _ in range(5):
                severity = random.choice((0, 9, 17, 21, 99))
                record = scope.log_records.add(time_unix_nano=self._time_ns(), severity_number=severity)
                record.trace_id = random.randbytes(random.choice((16, 3)))
                self._value(record.body)
                self._attributes(record.attributes, 5)
        return request


def _signals(seed: int) -> list[Signal]:
    """Return what Scout tells of five minutes, of which all but the end is calm."""
    attacker = Attacker(seed)
    state = TelemetryState(clock=lambda: float(attacker.now_s))
    scout = Scout(state)
    told: list[Signal] = []
    for step in range(STEPS):
        attacker.now_s = T0 + 5 * step
        state.add_traces("default", attacker.traces(failing=step >= CALM_STEPS))
        state.add_metrics("default", attacker.metrics())
        state.add_logs("default", attacker.logs())
        told += scout.tick(attacker.now_s)
    whole(scout.status())
    assert state.dropped["points_not_finite"] > 0
    return told


def test_what_is_told_of_hostile_telemetry_can_be_read_and_is_clean() -> None:
    """Signals survive their way over the bus within their size; secrets, control, bidi and hidden texts are gone."""
    told = _signals(seed=1)
    assert told
    for signal in told:
        text = signal.model_dump_json()
        assert Signal.model_validate_json(text) == signal
        assert len(signal.evidence.model_dump_json()) <= 256 * 1024
        readable = text.encode().decode("unicode_escape")
        assert not [found for found in (*SECRETS, *HIDDEN) if found in text or found in readable]

"""OpenTelemetry for every service: one resource, traces and metrics over OTLP/HTTP."""

import os
import traceback
import uuid
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode

from shop.runtime import Runtime
from shop.settings import ROOT

SPAN_DELAY_MS = 500
METRIC_INTERVAL_MS = 2000
EXPORT_TIMEOUT_S = 2.0
STACK_LIMIT_CHARS = 8000


class Telemetry:
    """The tracer and meter of one service process."""

    def __init__(self, runtime: Runtime) -> None:
        resource = Resource.create(
            {
                "service.name": runtime.service,
                "service.namespace": "shop",
                "service.version": runtime.version,
                "service.instance.id": str(uuid.uuid4()),
                "vcs.ref.head.revision": runtime.revision,
                "deployment.environment.name": runtime.environment,
                "process.pid": os.getpid(),
            }
        )
        endpoint = runtime.otlp_endpoint
        self._traces = TracerProvider(resource=resource)
        readers = []
        if endpoint:
            spans = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=EXPORT_TIMEOUT_S)
            self._traces.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=SPAN_DELAY_MS))
            metrics = OTLPMetricExporter(f"{endpoint}/v1/metrics", timeout=EXPORT_TIMEOUT_S)
            readers.append(PeriodicExportingMetricReader(metrics, METRIC_INTERVAL_MS))
        self._metrics = MeterProvider(readers, resource)
        self.tracer = self._traces.get_tracer("shop")
        self.meter = self._metrics.get_meter("shop")
        self.meter.create_observable_up_down_counter(
            "process.memory.usage", [_observe_memory], unit="By", description="Resident memory"
        )

    def close(self) -> None:
        """Sends what is still buffered and stops the exporters."""
        self._traces.shutdown()
        self._metrics.shutdown()


def record_failure(span: Span, error: BaseException) -> None:
    """Adds the exception to the span, with file names relative to the repository, and marks it failed."""
    stack = "".join(traceback.format_exception(error)).replace(f"{ROOT}{os.sep}", "")
    kind = _qualified_name(error)
    span.add_event(
        "exception",
        {
            "exception.type": kind,
            "exception.message": str(error),
            "exception.stacktrace": stack[-STACK_LIMIT_CHARS:],
        },
    )
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))


def _qualified_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _observe_memory(_options: CallbackOptions) -> list[Observation]:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return [Observation(pages * os.sysconf("SC_PAGE_SIZE"))]

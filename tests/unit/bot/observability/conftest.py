"""An observer whose spans and metrics stay in memory."""

from dataclasses import dataclass

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot.observability.ids import ChosenIds
from bot.observability.meters import Meters
from bot.observability.observer import Observer
from bot.observability.traces import Traces


@dataclass
class Watched:
    """An observer and what it saw."""

    observer: Observer
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    provider: MeterProvider

    @property
    def spans(self):
        """The spans that ended, in that order."""
        return self.exporter.get_finished_spans()

    def points(self):
        """The points of every metric by name, each as (attributes, value or count)."""
        data = self.reader.get_metrics_data()
        metrics = [] if data is None else data.resource_metrics[0].scope_metrics[0].metrics
        return {
            metric.name: [
                (dict(point.attributes), getattr(point, "value", None) or getattr(point, "count", 0))
                for point in metric.data.data_points
            ]
            for metric in metrics
        }


def watched(sampler=None) -> Watched:
    """Return an observer as one process has it."""
    ids, exporter, reader = ChosenIds(), InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider(sampler=sampler, id_generator=ids, shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    observer = Observer(Traces(tracers, ids), Meters(meters.get_meter("sre-space")))
    return Watched(observer, exporter, reader, meters)


@pytest.fixture
def make_watched():
    """Make observers, one per process."""
    return watched


@pytest.fixture
def seen():
    """One observer."""
    return watched()

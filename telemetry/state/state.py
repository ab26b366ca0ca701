"""TelemetryState: one door to everything that is remembered of telemetry."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.model import RedSummary, RevisionSeen, SeriesKey
from telemetry.state.limits import Limits
from telemetry.state.sketch import Sketch
from telemetry.state.views import Cell, Edge, ExemplarTrace, GaugeSeries, PoolSeries, SignatureStats, Taken


class TelemetryState:
    """Telemetry of all tenants in event time, bounded by `limits`.

    Not thread-safe: receiver and detection run in one thread. `clock` returns Unix seconds and is used only to
    keep clocks that run ahead from moving the watermark.
    """

    def __init__(self, limits: Limits | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self.limits = limits or Limits()
        self.spans_total = 0
        self.points_total = 0
        self.dropped: dict[str, int] = {}
        self._clock = clock

    def add_traces(self, tenant: str, request: ExportTraceServiceRequest) -> Taken:
        """Take spans in; duplicates and drops for bounds count as accepted, bad ids and times as rejected."""
        raise NotImplementedError

    def add_metrics(self, tenant: str, request: ExportMetricsServiceRequest) -> Taken:
        """Take gauges and sums in; histograms are counted as dropped."""
        raise NotImplementedError

    def add_logs(self, tenant: str, request: ExportLogsServiceRequest) -> Taken:
        """Take error signatures from log records of severity ERROR and above."""
        raise NotImplementedError

    @property
    def watermark_s(self) -> int | None:
        """Event time in Unix seconds up to which data is taken as complete; None before the first span."""
        raise NotImplementedError

    def keys(self) -> Sequence[SeriesKey]:
        """Return the series of SERVER and CONSUMER spans."""
        raise NotImplementedError

    def cells(self, key: SeriesKey, start_s: int, end_s: int, *, revision: str | None = None) -> list[Cell]:
        """Return the non-empty cells that start in [start_s, end_s), oldest first.

        `revision` (a `vcs.ref.head.revision`, or a `service.version`) restricts them to what ran that revision.
        """
        raise NotImplementedError

    def red(self, key: SeriesKey, start_s: int, end_s: int, *, revision: str | None = None) -> RedSummary:
        """Return requests, errors and duration quantiles of the cells that start in [start_s, end_s)."""
        raise NotImplementedError

    def sketch(self, key: SeriesKey, start_s: int, end_s: int) -> Sketch:
        """Return the durations of the cells that start in [start_s, end_s), merged."""
        raise NotImplementedError

    def edges(self, tenant: str, environment: str) -> Sequence[Edge]:
        """Return the edges of the service graph seen within the retention."""
        raise NotImplementedError

    def edge_red(self, edge: Edge, start_s: int, end_s: int) -> RedSummary:
        """Return how the calls of an edge went, from the caller's CLIENT or PRODUCER spans."""
        raise NotImplementedError

    def neighbours(self, tenant: str, environment: str, service: str, hops: int) -> frozenset[str]:
        """Return the nodes within `hops` edges of a service in either direction, itself included."""
        raise NotImplementedError

    def pools(self, tenant: str, environment: str) -> Sequence[PoolSeries]:
        """Return the database connection pools with their points, newest last."""
        raise NotImplementedError

    def gauges(self, tenant: str, environment: str, service: str) -> Sequence[GaugeSeries]:
        """Return the gauges of a service with their points, newest last."""
        raise NotImplementedError

    def signatures(self, tenant: str, environment: str, since_s: int) -> Sequence[SignatureStats]:
        """Return the error signatures hit at or after `since_s`."""
        raise NotImplementedError

    def exemplars(
        self,
        tenant: str,
        environment: str,
        service: str,
        start_s: int,
        end_s: int,
        why: Literal["error", "slow"],
        limit: int = 3,
    ) -> Sequence[ExemplarTrace]:
        """Return up to `limit` traces in which the service failed or was slowest in [start_s, end_s)."""
        raise NotImplementedError

    def versions(self, tenant: str, environment: str, service: str) -> Sequence[RevisionSeen]:
        """Return the versions of a service that telemetry has shown, oldest first."""
        raise NotImplementedError

    def error_leaves(self, tenant: str, environment: str, start_s: int, end_s: int) -> Mapping[str, int]:
        """Return by service the ERROR spans without an ERROR child in the traces kept from [start_s, end_s)."""
        raise NotImplementedError

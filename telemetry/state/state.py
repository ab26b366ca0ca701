"""TelemetryState: one door to everything that is remembered of telemetry."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.model import RedSummary, RevisionSeen, SeriesKey
from telemetry.profile.window import Profile
from telemetry.sketch import Sketch
from telemetry.state.cells import CellBudget, merged_cells, summary
from telemetry.state.clock import EventTime
from telemetry.state.columns import ResourceColumns, columns_of
from telemetry.state.drops import Drops
from telemetry.state.exemplars import choose, error_leaves
from telemetry.state.gauges import Gauges, Wanted
from telemetry.state.graph import ServiceGraph
from telemetry.state.intake import Intake
from telemetry.state.limits import Limits
from telemetry.state.logs import Logs
from telemetry.state.metrics import NO_TIME, take_metric
from telemetry.state.pools import NAMES, Newest, pools_of
from telemetry.state.profiles import Profiles
from telemetry.state.resource import Resource
from telemetry.state.series import Place, SeriesTable
from telemetry.state.signatures import Signatures
from telemetry.state.spans import Spans
from telemetry.state.traces import Trace, Why
from telemetry.state.versions import Versions
from telemetry.state.views import Cell, Edge, ExemplarTrace, GaugeSeries, PoolSeries, SignatureStats, Taken
from telemetry.steps import Steps

_SWEEP_S = 60


class TelemetryState:
    """Telemetry of all tenants in event time, bounded by `limits`.

    Not thread-safe: receiver and detection run in one thread. `clock` returns Unix seconds and is used only to
    keep clocks that run ahead from moving the watermark.
    """

    def __init__(self, limits: Limits | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self.limits = limits or Limits()
        self.spans_total = 0
        self.points_total = 0
        self.logs_total = 0
        self._drops = Drops()
        self._time = EventTime(self.limits, clock)
        budget = CellBudget(self.limits, self._drops)
        self.series = SeriesTable(self.limits, self._drops, budget)
        self._graph = ServiceGraph(self.limits, self._drops, budget)
        self._signatures = Signatures(self.limits, self._drops)
        self._gauges = Gauges(self.limits, self._drops)
        self._profiles = Profiles(self.limits, self._drops)
        self._logs = Logs(self._signatures, self._profiles)
        self._versions = Versions(self.limits)
        self._tenants: dict[str, Spans] = {}
        self._swept_s = 0

    @property
    def dropped(self) -> Mapping[str, int]:
        """What arrived well-formed and was not kept, by reason, since the start."""
        return self._drops.by_reason

    def add_traces(self, tenant: str, request: ExportTraceServiceRequest) -> Taken:
        """Take the spans of a message in; see `add_spans`."""
        return self.add_spans(tenant, columns_of(request))

    def add_spans(self, tenant: str, groups: Iterable[ResourceColumns]) -> Taken:
        """Take spans in; duplicates and drops for bounds count as accepted, bad ids and times as rejected."""
        spans = self._tenant(tenant)
        intake = Intake()
        oldest_ns, newest_ns = self._time.taken_ns()
        for message, scopes in groups:
            resource = spans.resources.of(message)
            if self._ignores(resource):
                continue
            intake.first_ns = intake.last_ns = 0
            for columns in scopes:
                spans.take(columns, resource, oldest_ns, newest_ns, intake)
            if intake.last_ns:
                self._versions.see(resource, intake.first_ns, intake.last_ns)
                self._time.advance(intake.last_ns)
        self.spans_total += intake.accepted
        self._expire(spans)
        return intake.taken()

    def add_metrics(self, tenant: str, request: ExportMetricsServiceRequest) -> Taken:
        """Take gauges and sums in; histograms are counted as dropped."""
        spans = self._tenant(tenant)
        oldest_ns, newest_ns = self._time.taken_ns()
        accepted = rejected = 0
        for group in request.resource_metrics:
            resource = spans.resources.of(group.resource)
            if self._ignores(resource):
                continue
            for scope in group.scope_metrics:
                for metric in scope.metrics:
                    taken, refused, last_ns = take_metric(
                        metric, resource, self._gauges, self._drops, oldest_ns=oldest_ns, newest_ns=newest_ns
                    )
                    accepted, rejected = accepted + taken, rejected + refused
                    if last_ns:  # event time goes on for a service that hangs and ends no span
                        self._time.advance(last_ns)
        self.points_total += accepted
        self._expire(spans)
        return Taken(accepted, rejected, NO_TIME if rejected else "")

    def add_logs(self, tenant: str, request: ExportLogsServiceRequest) -> Taken:
        """Take log records in: errors as signatures, those of a span for its profile."""
        spans = self._tenant(tenant)
        intake, within_ns = Intake(), self._time.taken_ns()
        for group in request.resource_logs:
            resource = spans.resources.of(group.resource)
            if not self._ignores(resource):
                for scope in group.scope_logs:
                    self._logs.take(scope.log_records, resource, *within_ns, intake)
        self.logs_total += intake.accepted
        self._expire(spans)
        return intake.taken()

    @property
    def watermark_s(self) -> int | None:
        """Event time in Unix seconds up to which data is taken as complete; None before the first data.

        Spans and metric points move it: a hang that ends no spans is noticed while metrics still arrive.
        """
        return self._time.watermark_s

    def finish(self) -> None:
        """Take everything up to the newest data as complete: a recording has ended."""
        self._time.finish()

    def keys(self) -> Sequence[SeriesKey]:
        """Return the series of SERVER and CONSUMER spans."""
        return self.series.keys()

    def cells(self, key: SeriesKey, start_s: int, end_s: int, *, revision: str | None = None) -> list[Cell]:
        """Return the non-empty cells that start in [start_s, end_s), oldest first.

        `revision` (a `vcs.ref.head.revision`, or a `service.version`) restricts them to what ran that revision.
        """
        return merged_cells(self.series.slots(key, revision), start_s, end_s)

    def red(self, key: SeriesKey, start_s: int, end_s: int, *, revision: str | None = None) -> RedSummary:
        """Return requests, errors and duration quantiles of the cells that start in [start_s, end_s)."""
        return summary(self.cells(key, start_s, end_s, revision=revision))

    def sketch(self, key: SeriesKey, start_s: int, end_s: int) -> Sketch:
        """Return the durations of the cells that start in [start_s, end_s), merged."""
        return Sketch.merged(cell.sketch for cell in self.cells(key, start_s, end_s))

    def edges(self, tenant: str, environment: str) -> Sequence[Edge]:
        """Return the edges of the service graph seen within the retention."""
        return self._graph.edges(tenant, environment)

    def edge_red(self, edge: Edge, start_s: int, end_s: int) -> RedSummary:
        """Return how the calls of an edge went, from the caller's CLIENT or PRODUCER spans."""
        return summary(merged_cells(self._graph.slots(edge), start_s, end_s))

    def pools(self, tenant: str, environment: str, newest: Newest | None = None) -> Sequence[PoolSeries]:
        """Return the database connection pools with their points, or only the `newest` of them, newest last."""
        return pools_of(self._gauges.of_service(tenant, environment, wanted=NAMES.__contains__), newest)

    def gauges(
        self, tenant: str, environment: str, service: str | None = None, wanted: Wanted | None = None
    ) -> Sequence[GaugeSeries]:
        """Return the gauges of a service (None: of all) whose name is `wanted`, with their points, newest last."""
        return list(self._gauges.of_service(tenant, environment, service, wanted))

    def signatures(self, tenant: str, environment: str, since_s: int) -> Sequence[SignatureStats]:
        """Return the error signatures hit at or after `since_s`."""
        return self._signatures.since(tenant, environment, since_s)

    def exemplars(
        self, place: Place, services: frozenset[str], start_s: int, end_s: int, why: Why, limit: int = 3
    ) -> Steps[Mapping[str, Sequence[ExemplarTrace]]]:
        """Return in steps, by service, up to `limit` traces in which it failed or was slowest in [start_s, end_s)."""
        return choose(self._traces(place[0], start_s, end_s), place[1], services, start_s, end_s, why, limit)

    def versions(self, tenant: str, environment: str, service: str) -> Sequence[RevisionSeen]:
        """Return the versions of a service that telemetry has shown, oldest first."""
        return self._versions.of(tenant, environment, service)

    def error_leaves(self, tenant: str, environment: str, start_s: int, end_s: int) -> Mapping[str, int]:
        """Return by service the ERROR spans without an ERROR child in the traces kept from [start_s, end_s)."""
        return error_leaves(self._traces(tenant, start_s, end_s), environment, start_s, end_s)

    def profiles(self, tenant: str, environment: str, start_s: int, end_s: int) -> list[Profile]:
        """Return a profile for each minute of the traces that began in [start_s, end_s), oldest first."""
        spans, now_s = self._tenants.get(tenant), self.watermark_s or 0
        return (
            [] if spans is None else self._profiles.between((tenant, environment), spans.traces, now_s, start_s, end_s)
        )

    @property
    def memory(self) -> tuple[Versions, Signatures]:
        """What can be dumped before a restart and loaded after it."""
        return self._versions, self._signatures

    def shed(self, oldest_s: int) -> None:
        """Forget exemplar traces and profiles, and everything from before `oldest_s`, because memory is short."""
        self._profiles.clear()
        for spans in self._tenants.values():
            spans.traces.clear()
        self._forget_before(oldest_s)

    def _ignores(self, resource: Resource) -> bool:
        prefix = self.limits.ignored_service_prefix
        if not prefix or not resource.service.startswith(prefix):
            return False
        self._drops.count("ignored_resources")
        return True

    def _tenant(self, tenant: str) -> Spans:
        spans = self._tenants.get(tenant)
        if spans is None:
            kept = (self.series, self._graph, self._signatures)
            spans = self._tenants[tenant] = Spans(tenant, self.limits, self._drops, *kept)
        return spans

    def _traces(self, tenant: str, start_s: int, end_s: int) -> Iterable[Trace]:
        spans = self._tenants.get(tenant)
        return () if spans is None else spans.traces.between(start_s, end_s)

    def _expire(self, spans: Spans) -> None:
        """Let go of what is too old by event time; the sweep over everything runs once a minute."""
        now_s = self.watermark_s
        if now_s is None:
            return
        spans.expire(now_s)
        self._profiles.take_left(spans.tenant, spans.traces, now_s)
        if now_s - self._swept_s < _SWEEP_S:
            return
        self._swept_s = now_s
        self._forget_before(now_s - self.limits.retention_s)
        self._profiles.forget_before(now_s - self.limits.profile_s)

    def _forget_before(self, oldest_s: int) -> None:
        gone = self.series.forget_before(oldest_s)
        if self._graph.forget_before(oldest_s) or gone:
            for tenant in self._tenants.values():
                tenant.forget_slots()
        self._signatures.forget_before(oldest_s)
        self._gauges.forget_before(oldest_s)

"""Spans in: one pass over the decoded messages, reading no more of each than its kind needs."""

from collections.abc import Iterable

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from telemetry.model import SeriesKey
from telemetry.scrub import scrub, scrub_name
from telemetry.state import operations
from telemetry.state.attributes import read
from telemetry.state.drops import Drops
from telemetry.state.failure import MESSAGE_MAX, WANTED
from telemetry.state.graph import ServiceGraph
from telemetry.state.heads import is_failed, whole
from telemetry.state.limits import Limits
from telemetry.state.pairs import Pairs
from telemetry.state.resource import Entry, Resource, Resources
from telemetry.state.series import SeriesTable
from telemetry.state.signatures import Signatures
from telemetry.state.traces import ENTRY_KINDS, TraceStore
from telemetry.state.views import Edge

_SERVER, _CONSUMER = 2, 5  # the first kinds, unspecified and INTERNAL, are in no graph and no window
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)
_NS = 1_000_000_000
_NOTES_MAX = 1_000

BAD_IDS = "span or trace ids of wrong length or all zero"
NO_TIMES = "spans without start or end time"


class Intake:
    """What came of one request: spans taken, rejected by reason, and the stretch of event time of the last resource."""

    __slots__ = ("accepted", "first_ns", "last_ns", "rejected")

    def __init__(self) -> None:
        self.accepted = 0
        self.rejected: dict[str, int] = {}
        self.first_ns = 0
        self.last_ns = 0

    def reject(self, reason: str) -> None:
        """Count one rejected span."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1


class Spans:
    """The spans of one tenant on their way into series, graph, traces and signatures."""

    def __init__(
        self,
        tenant: str,
        limits: Limits,
        drops: Drops,
        series: SeriesTable,
        graph: ServiceGraph,
        signatures: Signatures,
    ) -> None:
        self.tenant = tenant
        self.resources = Resources(tenant, limits, drops)
        self.pairs = Pairs(tenant, graph, limits, drops)
        self.traces = TraceStore(limits)
        self._limits = limits
        self._drops = drops
        self._series = series
        self._graph = graph
        self._signatures = signatures
        self._notes: dict[str, str] = {}
        self._seen: set[bytes] = set()
        self._seen_before: set[bytes] = set()

    def take(  # noqa: C901, PLR0912, PLR0915 — as the docstring says
        self, spans: Iterable[Span], resource: Resource, oldest_ns: int, newest_ns: int, intake: Intake
    ) -> None:
        """Take the spans of a resource that end within [oldest_ns, newest_ns].

        Length: the loop runs for every span that arrives; calls per span, and fields read of it, are what it costs.
        """
        seen, seen_before = self._seen, self._seen_before
        find_entry, find_label, peer_of = resource.entries.get, resource.labels.get, resource.peers.of
        add_server, add_call = self.pairs.add_server, self.pairs.add_call
        recent, share = self.traces.recent, self.traces.share
        service = resource.service
        first_ns, last_ns, accepted = intake.first_ns, intake.last_ns, 0
        for span in spans:
            trace_id, span_id, parent_id = span.trace_id, span.span_id, span.parent_span_id
            if (
                len(trace_id) != 16  # noqa: PLR2004 — lengths of ids in the OTLP specification
                or len(span_id) != 8  # noqa: PLR2004 — as above
                or trace_id == _NO_TRACE
                or span_id == _NO_SPAN
                or (parent_id and len(parent_id) != 8)  # noqa: PLR2004 — as above
            ):
                intake.reject(BAD_IDS)
                continue
            start_ns, end_ns = span.start_time_unix_nano, span.end_time_unix_nano
            if not start_ns or not end_ns:
                intake.reject(NO_TIMES)
                continue
            accepted += 1
            if not oldest_ns <= end_ns <= newest_ns:
                self._drops.count("late" if end_ns < oldest_ns else "future")
                continue
            if end_ns > last_ns:  # noqa: PLR1730 — the hot path: no call
                last_ns = end_ns
            if end_ns < first_ns or not first_ns:
                first_ns = end_ns
            kind, failed = span.kind, bool(span.status) and is_failed(span)
            kept = failed or trace_id[15] < share or trace_id in recent
            if kind < _SERVER and not kept:
                continue
            key = trace_id + span_id
            if key in seen or key in seen_before:
                self._drops.count("duplicates")
                continue
            seen.add(key)
            name = span.name
            if failed:
                span = whole(span)  # noqa: PLW2901 — its attributes are read more than once
            duration_ns = end_ns - start_ns if end_ns > start_ns else 0
            note = label = ""
            if kind in ENTRY_KINDS:
                label, slot = find_entry(name) or self._entry(resource, span, name)
                if slot is None:
                    self._drops.count("series")
                else:
                    slot.add(end_ns, duration_ns, failed)
                if kind == _CONSUMER:
                    note = self._consume(resource, span, name, end_ns, duration_ns, failed)
                elif parent_id:
                    add_server(parent_id, service)
            elif _SERVER < kind < _CONSUMER:  # CLIENT and PRODUCER
                peer = peer_of(name, span, failed)
                add_call(span_id, (resource, end_ns, duration_ns, failed, peer))
                note = peer.name if peer is not None else ""
            if kept:
                label = label or find_label(name) or self._label(resource, name)
                if failed:
                    note = self._fail(resource, span, trace_id, label, kind, end_ns)
                row = (span_id, parent_id, start_ns, max(start_ns, end_ns), kind, failed, label, resource, note)
                self.traces.add(trace_id, row, failed)
        intake.first_ns, intake.last_ns = first_ns, last_ns
        intake.accepted += accepted
        if len(seen) > self._limits.max_span_ids:
            self._seen_before, self._seen = seen, set()

    def _entry(self, resource: Resource, span: Span, name: str) -> Entry:
        """Return what a span name stands for, looked up in the attributes when it is new or says nothing."""
        attributes: dict[str, str] = {}
        key = name
        if name in operations.AMBIGUOUS or name not in resource.entries:
            attributes = read(whole(span).attributes, operations.WANTED)
        if name in operations.AMBIGUOUS:
            key = "\x00".join((name, *attributes.values(), ""))
            known = resource.entries.get(key)
            if known is not None:
                return known
        operation = operations.operation_of(name, attributes)
        series = SeriesKey(
            tenant=self.tenant,
            environment=resource.environment,
            service=resource.service,
            operation=operation,
        )
        if len(resource.entries) >= self._limits.max_names_per_resource:
            resource.entries.clear()
            self._drops.count("names_forgotten")
        entry = resource.entries[key] = (operation, self._series.slot(series, resource.release))
        return entry

    def _label(self, resource: Resource, name: str) -> str:
        if len(resource.labels) >= self._limits.max_names_per_resource:
            resource.labels.clear()
        label = resource.labels[name] = scrub_name(name) or "(unnamed)"
        return label

    def _consume(self, resource: Resource, span: Span, name: str, end_ns: int, duration_ns: int, failed: bool) -> str:  # noqa: FBT001
        """Take a CONSUMER span to the graph as an edge from its queue."""
        peer = resource.peers.of(name, span, failed)
        if peer is None or peer.kind != "queue":
            return ""
        edge = Edge(peer.name, resource.service, "service", self.tenant, resource.environment)
        slot = self._graph.slot(edge)
        if slot is not None:
            slot.add(end_ns, duration_ns, failed)
        return peer.name

    def _fail(self, resource: Resource, span: Span, trace_id: bytes, label: str, kind: int, end_ns: int) -> str:
        """Count the signature of a failed span, decoded whole, and return its type and message as a note."""
        attributes = read(span.attributes, WANTED)
        for event in span.events:
            if event.name == "exception":
                attributes |= read(event.attributes, WANTED)  # the last is the one that got out
        attributes["message"] = span.status.message
        where = (self.tenant, resource.environment, resource.service)
        entry = kind in ENTRY_KINDS
        self._signatures.add(where, attributes, label, trace_id, end_ns // _NS, entry=entry)
        error_type = attributes.get("exception.type") or attributes.get("error.type", "")
        message = attributes.get("exception.message") or attributes["message"]
        return self._note(f"{error_type}: {message}" if error_type and message else error_type or message)

    def _note(self, text: str) -> str:
        """Return a failure's text scrubbed; failures repeat themselves, and scrubbing is what they cost."""
        note = self._notes.get(text)
        if note is None:
            note = scrub(text, MESSAGE_MAX)
            if len(text) <= MESSAGE_MAX:
                if len(self._notes) >= _NOTES_MAX:
                    self._notes.clear()
                self._notes[text] = note
        return note

    def forget_slots(self) -> None:
        """Forget which slots names and calls are counted in: they are looked up again."""
        self.resources.forget_names()
        self.pairs.forget_routes()

    def expire(self, now_s: int) -> None:
        """Let go of what waited long enough at event time `now_s`."""
        self.pairs.expire(now_s)
        self.traces.expire(now_s)

"""Spans in: one pass over them, reading no more of each than its kind needs."""

from telemetry.model import SeriesKey
from telemetry.scrub import scrub, scrub_name
from telemetry.state import operations
from telemetry.state.admission import Admission
from telemetry.state.attributes import read
from telemetry.state.columns import SpanColumns
from telemetry.state.drops import Drops
from telemetry.state.failure import MESSAGE_MAX, WANTED
from telemetry.state.graph import ServiceGraph
from telemetry.state.intake import Intake
from telemetry.state.limits import Limits
from telemetry.state.pairs import Pairs
from telemetry.state.resource import Entry, Resource, Resources
from telemetry.state.seen import SeenSpans
from telemetry.state.series import SeriesTable
from telemetry.state.signatures import Signatures
from telemetry.state.traces import ENTRY_KINDS, TraceStore
from telemetry.state.views import Edge

_SERVER, _CONSUMER = 2, 5  # the first kinds, unspecified and INTERNAL, are in no graph and no window
_NS = 1_000_000_000
_NOTES_MAX = 1_000


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
        self._admission = Admission(SeenSpans(limits.max_span_ids, limits.max_span_batches), drops)
        self._notes: dict[str, str] = {}

    def take(self, spans: SpanColumns, resource: Resource, oldest_ns: int, newest_ns: int, intake: Intake) -> None:
        """Take the spans of a resource that end within [oldest_ns, newest_ns]; the loop runs for every one of them."""
        spans = self._admission.admit(spans, oldest_ns, newest_ns, intake)
        find_entry, find_label, peer_of = resource.entries.get, resource.labels.get, resource.peers.of
        add_server, add_call = self.pairs.add_server, self.pairs.add_call
        recent, share = self.traces.recent, self.traces.share
        service = resource.service
        for at, trace_id, span_id, parent_id, name, kind, start_ns, end_ns, failed in spans.rows():
            kept = failed or trace_id[15] < share or trace_id in recent
            if kind < _SERVER and not kept:
                continue
            duration_ns = end_ns - start_ns if end_ns > start_ns else 0
            note = label = ""
            if kind in ENTRY_KINDS:
                label, slot = find_entry(name) or self._entry(resource, spans, at)
                if slot is None:
                    self._drops.count("series")
                else:
                    slot.add(end_ns, duration_ns, failed)
                if kind == _CONSUMER:
                    note = self._consume(resource, spans, at, duration_ns)
                elif parent_id:
                    add_server(parent_id, service)
            elif _SERVER < kind < _CONSUMER:  # CLIENT and PRODUCER
                peer = peer_of(name, spans, at)
                add_call(span_id, (resource, end_ns, duration_ns, failed, peer))
                note = peer.name if peer is not None else ""
            if kept:
                label = label or find_label(name) or self._label(resource, name)
                if failed:
                    note = self._fail(resource, spans, at, label)
                row = (span_id, parent_id, start_ns, max(start_ns, end_ns), kind, failed, label, resource, note)
                self.traces.add(trace_id, row, failed)

    def _entry(self, resource: Resource, spans: SpanColumns, at: int) -> Entry:
        """Return what a span name stands for, looked up in the attributes when it is new or says nothing."""
        attributes: dict[str, str] = {}
        key = name = spans.names[at]
        if name in operations.AMBIGUOUS or name not in resource.entries:
            attributes = read(spans.whole(at).attributes, operations.WANTED)
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

    def _consume(self, resource: Resource, spans: SpanColumns, at: int, duration_ns: int) -> str:
        """Take a CONSUMER span to the graph as an edge from its queue."""
        peer = resource.peers.of(spans.names[at], spans, at)
        if peer is None or peer.kind != "queue":
            return ""
        edge = Edge(peer.name, resource.service, "service", self.tenant, resource.environment)
        slot = self._graph.slot(edge)
        if slot is not None:
            slot.add(spans.ends_ns[at], duration_ns, spans.failed[at])
        return peer.name

    def _fail(self, resource: Resource, spans: SpanColumns, at: int, label: str) -> str:
        """Count the signature of a failed span and return its type and message as a note."""
        span = spans.whole(at)
        attributes = read(span.attributes, WANTED)
        for event in span.events:
            if event.name == "exception":
                attributes |= read(event.attributes, WANTED)  # the last is the one that got out
        attributes["message"] = span.status.message
        where = (self.tenant, resource.environment, resource.service)
        entry = spans.kinds[at] in ENTRY_KINDS
        self._signatures.add(where, attributes, label, spans.trace_ids[at], spans.ends_ns[at] // _NS, entry=entry)
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

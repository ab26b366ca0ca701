"""Spans that came before: a request that is sent again, and a span that comes by two ways."""

from telemetry.state.columns import SpanColumns


class SeenSpans:
    """Remembers the ids of about `max_ids` spans, and the last `max_batches` batches of spans as a whole.

    Who gets no answer sends the same request again (OTLP specification, "Duplicate Data"), seconds later: after as many
    spans as no table of ids could hold at the same speed. Both are kept in two generations, of which the older one goes
    when the newer one is full.

    A span id is unique within its trace (OpenTelemetry trace API) and, being random, nearly always without it: then one
    look at a table of span ids is enough. `others` are spans whose id another trace has used before.
    """

    def __init__(self, max_ids: int, max_batches: int) -> None:
        self._max_ids = max_ids // 2
        self._max_batches = max_batches // 2
        self._traces: dict[bytes, bytes] = {}
        """By span id the trace that used it first."""
        self._traces_before: dict[bytes, bytes] = {}
        self._others: set[bytes] = set()
        self._others_before: set[bytes] = set()
        self._batches: set[int] = set()
        self._batches_before: set[int] = set()

    def new(self, spans: SpanColumns) -> SpanColumns:
        """Return the spans that are here for the first time, and remember them."""
        batch = hash((b"".join(spans.span_ids), b"".join(spans.trace_ids)))
        if batch in self._batches or batch in self._batches_before:
            return spans.only([])
        self._batches.add(batch)
        if len(self._batches) > self._max_batches:
            self._batches_before, self._batches = self._batches, set()
        if self._are_all_new(spans):
            return spans
        ids = enumerate(zip(spans.trace_ids, spans.span_ids, strict=True))
        return spans.only([at for at, (trace_id, span_id) in ids if self._is_new(trace_id, span_id)])

    def _are_all_new(self, spans: SpanColumns) -> bool:
        """Return whether no trace has used any of the span ids, and remember them if so."""
        ids = spans.span_ids
        if not self._traces.keys().isdisjoint(ids) or not self._traces_before.keys().isdisjoint(ids):
            return False
        own = dict(zip(ids, spans.trace_ids, strict=True))
        if len(own) < len(ids):
            return False
        self._turn(len(own))
        self._traces |= own
        return True

    def _is_new(self, trace_id: bytes, span_id: bytes) -> bool:
        first = self._traces.get(span_id) or self._traces_before.get(span_id)
        if first is None:
            self._turn(1)
            self._traces[span_id] = trace_id
            return True
        key = trace_id + span_id
        if first == trace_id or key in self._others or key in self._others_before:
            return False
        self._turn(1)
        self._others.add(key)
        return True

    def _turn(self, more: int) -> None:
        """Begin a new generation when this one has no room for more."""
        if len(self._traces) + len(self._others) + more > self._max_ids:
            self._traces_before, self._traces = self._traces, {}
            self._others_before, self._others = self._others, set()

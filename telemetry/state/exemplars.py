"""Exemplar traces from rows: self times, failing leaves, and which traces to show."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from telemetry.model import TraceSpan, utc
from telemetry.state.traces import ENTRY_KINDS, Row, Trace, Why
from telemetry.state.views import ExemplarTrace

_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_NS = 1_000_000_000
_ENOUGH = 12  # spans; a trace with more than that is not a better example


def covered_ns(start_ns: int, end_ns: int, parts: Iterable[tuple[int, int]]) -> int:
    """Return how much of [start_ns, end_ns) the union of the parts covers."""
    covered = 0
    reached = start_ns
    for part_start, part_end in sorted(parts):
        begin, finish = max(part_start, reached), min(part_end, end_ns)
        if finish > begin:
            covered += finish - begin
            reached = finish
    return covered


def exemplar(trace: Trace, why: Why) -> ExemplarTrace:
    """Return a trace as it is shown; self time is duration minus the union of the children within the span."""
    children: dict[bytes, list[tuple[int, int]]] = {}
    for row in trace.rows:
        children.setdefault(row[1], []).append((row[2], row[3]))
    rows = sorted(trace.rows, key=lambda row: row[2])
    origin_ns = rows[0][2]
    spans = tuple(_span(row, origin_ns, children.get(row[0], [])) for row in rows)
    return ExemplarTrace(trace.id.hex(), why, utc(origin_ns), spans)


def _span(row: Row, origin_ns: int, children: list[tuple[int, int]]) -> TraceSpan:
    span_id, parent_id, start_ns, end_ns, kind, error, name, resource, note = row
    duration_ns = max(0, end_ns - start_ns)
    return TraceSpan(
        span_id=span_id.hex(),
        parent_id=parent_id.hex() or None,
        service=resource.service,
        operation=name,
        span_kind=_KINDS[kind] if 0 <= kind < len(_KINDS) else _KINDS[0],
        offset_ms=(start_ns - origin_ns) / 1e6,
        duration_ms=duration_ns / 1e6,
        self_ms=(duration_ns - covered_ns(start_ns, end_ns, children)) / 1e6,
        error=error,
        note=note,
    )


def choose(
    traces: Iterable[Trace], service: tuple[str, str], start_s: int, end_s: int, why: Why, limit: int
) -> Sequence[ExemplarTrace]:
    """Return up to `limit` of the traces in which (environment, service) failed or was slow in [start_s, end_s).

    Failed traces are ranked by how much of them was kept, then newest first; slow ones by the longest SERVER or
    CONSUMER span of the service.
    """
    ranked: list[tuple[tuple[int, int], Trace]] = []
    for trace in traces:
        weights = [
            row[3] - row[2]
            for row in trace.rows
            if _is_of(row, service, start_s, end_s) and (row[5] if why == "error" else row[4] in ENTRY_KINDS)
        ]
        if weights:
            weight = min(len(trace.rows), _ENOUGH) if why == "error" else max(weights)
            ranked.append(((weight, trace.first_s), trace))
    ranked.sort(key=lambda entry: entry[0], reverse=True)
    return [exemplar(trace, why) for _, trace in ranked[:limit]]


def _is_of(row: Row, service: tuple[str, str], start_s: int, end_s: int) -> bool:
    resource = row[7]
    return start_s * _NS <= row[3] < end_s * _NS and (resource.environment, resource.service) == service


def error_leaves(traces: Iterable[Trace], environment: str, start_s: int, end_s: int) -> Mapping[str, int]:
    """Return by service the spans that failed in [start_s, end_s) and have no failed child."""
    leaves: Counter[str] = Counter()
    for trace in traces:
        if trace.error:
            failed = [row for row in trace.rows if row[5]]
            parents = {row[1] for row in failed}
            leaves.update(
                row[7].service
                for row in failed
                if row[0] not in parents and row[7].environment == environment and start_s * _NS <= row[3] < end_s * _NS
            )
    return leaves

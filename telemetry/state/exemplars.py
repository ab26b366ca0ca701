"""Exemplar traces from rows: self times, failing leaves, and which traces to show."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from heapq import nlargest
from operator import itemgetter

from telemetry.model import TraceSpan, utc
from telemetry.state.traces import ENTRY_KINDS, Row, Trace, Why
from telemetry.state.views import ExemplarTrace
from telemetry.steps import Steps

_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_NS = 1_000_000_000
_ENOUGH = 12  # spans; a trace with more than that is not a better example
_AT_ONCE = 2_000  # traces that are looked at between two pauses


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
    traces: Iterable[Trace],
    environment: str,
    services: AbstractSet[str],
    start_s: int,
    end_s: int,
    why: Why,
    limit: int,
) -> Steps[dict[str, Sequence[ExemplarTrace]]]:
    """Return in steps, by service, up to `limit` of the traces in which it failed or was slow in [start_s, end_s).

    Failed traces are ranked by how much of them was kept, then newest first; slow ones by the longest SERVER or
    CONSUMER span of the service.
    """
    ranked: defaultdict[str, list[tuple[int, int, Trace]]] = defaultdict(list)
    for number, trace in enumerate(traces, start=1):
        if why == "slow" or trace.error:
            rows = [row for row in trace.rows if start_s * _NS <= row[3] < end_s * _NS and row[7].service in services]
            for service, longest_ns in _longest(rows, environment, why).items():
                weight = min(len(trace.rows), _ENOUGH) if why == "error" else longest_ns
                ranked[service].append((weight, trace.first_s, trace))
        if number % _AT_ONCE == 0:
            yield
    best = {service: nlargest(limit, found, key=itemgetter(0, 1)) for service, found in ranked.items()}
    return {service: [exemplar(trace, why) for _, _, trace in found] for service, found in best.items()}


def _longest(rows: Iterable[Row], environment: str, why: Why) -> dict[str, int]:
    """Return by service its longest span in nanoseconds, of those that failed or, for `slow`, SERVER and CONSUMER."""
    longest: dict[str, int] = {}
    for row in rows:
        resource = row[7]
        if resource.environment == environment and (row[5] if why == "error" else row[4] in ENTRY_KINDS):
            longest[resource.service] = max(longest.get(resource.service, 0), row[3] - row[2])
    return longest


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

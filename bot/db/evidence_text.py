"""One item of evidence as a sentence of plain text."""

from typing import assert_never

from telemetry.model import (
    EdgeEvidence,
    Evidence,
    MetricEvidence,
    RedEvidence,
    RedSummary,
    SignatureEvidence,
    TraceEvidence,
    VersionEvidence,
)


def line(item: Evidence) -> str:
    """Return what an item of evidence says. It holds names and messages of the services: untrusted text."""
    match item:
        case RedEvidence():
            return f"{item.service} {item.operation}: {_red(item.before)} before, {_red(item.after)} during"
        case EdgeEvidence():
            return f"{item.caller} calls {item.callee}: {_red(item.before)} before, {_red(item.after)} during"
        case TraceEvidence():
            slowest = max(item.spans, key=lambda span: span.self_ms, default=None)
            where = f", most of it in {slowest.service} {slowest.operation}" if slowest else ""
            return f"{item.why} trace {item.trace_id[:16]} with {len(item.spans)} spans{where}"
        case SignatureEvidence():
            where = f" at {item.frames[0].path} {item.frames[0].function}" if item.frames else ""
            new = "new, " if item.is_new else ""
            return (
                f"{item.service} {item.operation}: {item.error_type}{where}: {item.message} "
                f"({new}{item.count} times, {item.count_before} before)"
            )
        case MetricEvidence():
            return _metric(item)
        case VersionEvidence():
            before = item.revision_before or item.version_before or "unknown"
            after = item.revision_after or item.version_after or "unknown"
            return f"{item.service} changed from {before[:12]} to {after[:12]} at {item.changed_at:%H:%M:%S} UTC"
        case _:
            assert_never(item)


def _red(red: RedSummary) -> str:
    if red.requests == 0:
        return "no requests"
    p95 = "" if red.p95_ms is None else f", p95 {red.p95_ms:.0f} ms"
    return f"{red.errors} of {red.requests} requests failed{p95}"


def _metric(item: MetricEvidence) -> str:
    unit = f" {item.unit}" if item.unit else ""
    before = "unknown" if item.before is None else f"{item.before:g}"
    limit = "" if item.limit is None else f", limit {item.limit:g}"
    return f"{item.service} {item.metric}: {before} before, {item.after:g}{unit} during{limit}"

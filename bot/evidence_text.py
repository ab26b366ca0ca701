"""One item of evidence as a line of plain text, for the dashboard: unescaped, so never put it into Markdown or HTML."""

from typing import assert_never

from telemetry.model import (
    EdgeEvidence,
    Evidence,
    FlowEvidence,
    MetricEvidence,
    RedEvidence,
    RedSummary,
    SignatureEvidence,
    TimeEvidence,
    TraceEvidence,
    VersionEvidence,
)

SHORT_SHA = 9


def evidence_text(item: Evidence) -> str:  # noqa: PLR0911 - one for each kind of evidence
    """Return what the item shows, with the numbers before and during the fault."""
    match item:
        case RedEvidence():
            return f"{item.service} {item.operation}: {_red(item.after)}; before: {_red(item.before)}"
        case EdgeEvidence():
            return f"calls from {item.caller} to {item.callee}: {_red(item.after)}; before: {_red(item.before)}"
        case TraceEvidence():
            way = " → ".join(dict.fromkeys(span.service for span in item.spans))
            longest_ms = max((span.offset_ms + span.duration_ms for span in item.spans), default=0.0)
            return f"{item.why} trace {item.trace_id} of {longest_ms:.0f} ms through {way}"
        case SignatureEvidence():
            new = "new, " if item.is_new else ""
            message = f": {item.message}" if item.message else ""
            return f"{item.error_type} in {item.service} ({new}{item.count}×, before {item.count_before}×){message}"
        case MetricEvidence():
            before = "unknown" if item.before is None else f"{item.before:g}"
            unit = f" {item.unit}" if item.unit else ""
            limit = "" if item.limit is None else f" of {item.limit:g}"
            return f"{item.metric} of {item.service}: {item.after:g}{limit}{unit}; before: {before}"
        case TimeEvidence():
            what = f"own time of {item.service}" if item.caller is None else f"way from {item.caller} to {item.service}"
            return f"{what} {item.operation}: {item.after.p50_ms:.1f} ms at p50; before: {item.before.p50_ms:.1f} ms"
        case FlowEvidence():
            made = [c.usual if item.source == "logs" or item.usual else c.instead for c in (item.after, item.before)]
            what = f"{item.service} {item.operation}: {item.step} → {item.usual or item.instead}"
            return f"{what} in {made[0]} of {item.after.total}; before: {made[1]} of {item.before.total}"
        case VersionEvidence():
            old = (item.revision_before or item.version_before or "unknown")[:SHORT_SHA]
            new = (item.revision_after or item.version_after or "unknown")[:SHORT_SHA]
            return f"{item.service} went from {old} to {new} at {item.changed_at:%H:%M:%S} UTC"
        case _:
            assert_never(item)


def _red(summary: RedSummary) -> str:
    if not summary.requests:
        return "no requests"
    p95 = f", p95 {summary.p95_ms:.0f} ms" if summary.p95_ms is not None else ""
    return f"{summary.errors} of {summary.requests} failed{p95}"

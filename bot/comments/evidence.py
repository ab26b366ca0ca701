"""Evidence as rows of a table, and the impact in one sentence."""

from collections.abc import Iterable
from typing import assert_never

from agents.markdown import code, escape
from bot.comments.markup import NOTHING, SHORT_SHA, clock, code_cell, milliseconds, number, percent, plural, table
from telemetry.model import (
    EdgeEvidence,
    Evidence,
    EvidenceBundle,
    FlowEvidence,
    Followed,
    MetricEvidence,
    RedEvidence,
    RedSummary,
    Signal,
    SignatureEvidence,
    TimeEvidence,
    Times,
    TraceEvidence,
    VersionEvidence,
)

MAX_ROWS = 60
MAX_NAME = 120
MAX_TEXT = 300
SLOWER = 1.5

Cells = tuple[str, str, str]


def evidence_table(bundle: EvidenceBundle) -> str:
    """Return one row per item: its id, what it is, how it was before the fault and how it is now."""
    rows = [(item.id, *_cells(item)) for item in bundle.items[:MAX_ROWS]]
    text = table(("id", "what", "before", "now"), rows)
    left_out = len(bundle.items) - len(rows)
    return f"{text}\n\n{plural(left_out, 'more item')} in the dashboard." if left_out else text


def _cells(item: Evidence) -> Cells:  # noqa: PLR0911 - one for each kind of evidence
    match item:
        case RedEvidence():
            what = f"{_name(item.service)} {code_cell(item.operation, MAX_NAME)}"
            return what, red(item.before), red(item.after)
        case EdgeEvidence():
            what = f"calls from {_name(item.caller)} to {_name(item.callee)}"
            return what, red(item.before), red(item.after)
        case TraceEvidence():
            return _trace(item), "", ""
        case SignatureEvidence():
            return _signature(item), f"{number(item.count_before)} times", f"{number(item.count)} times"
        case MetricEvidence():
            return _metric(item)
        case TimeEvidence():
            return _time(item), times(item.before), times(item.after)
        case FlowEvidence():
            return _flow(item), _followed(item, item.before), _followed(item, item.after)
        case VersionEvidence():
            what = f"{_name(item.service)} runs another version since {clock(item.changed_at)}"
            return (
                what,
                _version(item.revision_before, item.version_before),
                _version(item.revision_after, item.version_after),
            )
        case _:
            assert_never(item)


def red(summary: RedSummary) -> str:
    """Return requests, failures and p95 of one stretch."""
    if not summary.requests:
        return "no requests"
    failed = f"{number(summary.errors)} of {number(summary.requests)} failed"
    return f"{failed}, p95 {milliseconds(summary.p95_ms)}" if summary.p95_ms is not None else failed


def _trace(item: TraceEvidence) -> str:
    """Return what an exemplar request came to: where it failed, or where it spent its time itself."""
    longest = max((span.offset_ms + span.duration_ms for span in item.spans), default=0.0)
    way = " → ".join(_name(name) for name in dict.fromkeys(span.service for span in item.spans))
    if item.why == "error":
        failed = next((span for span in reversed(item.spans) if span.error and span.note), None)
        said = f" in {_name(failed.service)}: {escape(failed.note, MAX_TEXT)}" if failed else ""
        return f"a request through {way} failed after {milliseconds(longest)}{said}"
    slowest = max(item.spans, key=lambda span: span.self_ms, default=None)
    where = f", {milliseconds(slowest.self_ms)} of it in {_name(slowest.service)}" if slowest else ""
    return f"a request through {way} took {milliseconds(longest)}{where}"


def _signature(item: SignatureEvidence) -> str:
    new = ", never seen before" if item.is_new else ""
    message = f": {escape(item.message, MAX_TEXT)}" if item.message else ""
    frame = item.frames[0] if item.frames else None
    line = f":{frame.line}" if frame and frame.line else ""
    place = f" at {code_cell(frame.path + line, MAX_NAME)} in {code_cell(frame.function, MAX_NAME)}" if frame else ""
    return f"{code_cell(item.error_type, MAX_NAME)} in {_name(item.service)}{place}{message}{new}"


def _metric(item: MetricEvidence) -> Cells:
    labels = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in sorted(item.attributes.items()))
    what = f"{code_cell(item.metric, MAX_NAME)} of {_name(item.service)}"
    what = f"{what} ({escape(labels, MAX_NAME)})" if labels else what
    unit = "" if item.unit in {"", "1"} or item.unit.startswith("{") else f" {escape(item.unit, 20)}"
    limit = "" if item.limit is None else f" (limit {number(item.limit)})"
    before = NOTHING if item.before is None else f"{number(item.before)}{unit}"
    return what, before, f"{number(item.after)}{unit}{limit}"


def _time(item: TimeEvidence) -> str:
    operation = code_cell(item.operation, MAX_NAME)
    if item.caller is None:
        return f"own time of {_name(item.service)} {operation}"
    return f"the way from {_name(item.caller)} to {_name(item.service)} {operation}"


def times(summary: Times) -> str:
    """Return median and 90th percentile of one stretch."""
    return f"{milliseconds(summary.p50_ms)}, p90 {milliseconds(summary.p90_ms)} ({number(summary.count)} times)"


def _flow(item: FlowEvidence) -> str:
    where = f"{_name(item.service)} {code_cell(item.operation, MAX_NAME)}"
    if item.source == "spans":
        return f"{where}: calls {code_cell(item.usual or item.instead, MAX_NAME)}"
    return f"{where}: after {code_cell(item.step, MAX_NAME)} comes {code_cell(item.usual, MAX_NAME)}"


def _followed(item: FlowEvidence, counts: Followed) -> str:
    made = counts.usual if item.source == "logs" or item.usual else counts.instead
    return f"{number(made)} of {number(counts.total)} times"


def _version(revision: str | None, version: str | None) -> str:
    if revision is not None:
        return code_cell(revision[:SHORT_SHA])
    return code_cell(version, MAX_NAME) if version is not None else "unknown"


def _name(service: str) -> str:
    return escape(service, MAX_NAME)


def root_red(signal: Signal) -> RedEvidence | None:
    """Return how the root operation behaved, if the bundle has it."""
    items: Iterable[Evidence] = signal.evidence.items
    return next(
        (
            item
            for item in items
            if isinstance(item, RedEvidence)
            and (item.service, item.operation) == (signal.root_service, signal.root_operation)
        ),
        None,
    )


def impact(signal: Signal, *, past: bool = False) -> str:
    """Return what users notice, or noticed, with numbers where the evidence has them; no full stop."""
    operation = code(signal.root_operation, MAX_NAME)
    service = f"**{_name(signal.root_service)}**"
    fail, is_now = ("failed", "was") if past else ("fail", "is")
    item = root_red(signal)
    if item is not None and item.after.errors:
        was = percent(item.before.errors, item.before.requests)
        now = percent(item.after.errors, item.after.requests)
        return f"{now} of {operation} requests to {service} {fail} ({was} before)"
    if item is not None and slower(item):
        slow = f"p95 {is_now} {milliseconds(item.after.p95_ms)}, {milliseconds(item.before.p95_ms)} before"
        return f"{operation} of {service} {is_now} slow ({slow})"
    calls = root_calls(signal)
    if calls is not None:
        return _calls(calls, past=past)
    return f"{operation} of {service} {is_now} not as it should be"


def root_calls(signal: Signal) -> EdgeEvidence | None:
    """Return the calls to the root that got worst, when it is a database or the like that tells nothing itself."""
    items: Iterable[Evidence] = signal.evidence.items
    if any(isinstance(item, RedEvidence) and item.service == signal.root_service for item in items):
        return None
    calls = [item for item in items if isinstance(item, EdgeEvidence) and item.callee == signal.root_service]
    worse = [item for item in calls if item.after.errors or slower(item)]
    return max(worse, key=lambda item: (item.after.errors, item.after.p95_ms or 0.0, item.id), default=None)


def _calls(item: EdgeEvidence, *, past: bool) -> str:
    fail, are = ("failed", "were") if past else ("fail", "are")
    way = f"calls from **{_name(item.caller)}** to **{_name(item.callee)}**"
    if item.after.errors:
        was = percent(item.before.errors, item.before.requests)
        return f"{percent(item.after.errors, item.after.requests)} of the {way} {fail} ({was} before)"
    return f"{way} {are} slow (p95 {milliseconds(item.after.p95_ms)}, {milliseconds(item.before.p95_ms)} before)"


def slower(item: RedEvidence | EdgeEvidence) -> bool:
    """Return whether p95 rose so much that it is what people notice."""
    before, after = item.before.p95_ms, item.after.p95_ms
    return before is not None and after is not None and after > SLOWER * before

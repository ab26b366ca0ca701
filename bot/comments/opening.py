"""The incident's issue: title and body."""

from agents.incident import Incident
from agents.markdown import code, escape, plain
from bot.comments.evidence import MAX_NAME, impact, root_calls, root_red, slower
from bot.comments.markup import NOTHING, code_cell, duration, milliseconds, moment, number, paragraphs, percent, table
from bot.comments.words import DETECTORS
from telemetry.model import EdgeEvidence, RedEvidence, RedSummary, Signal, Stretch

MAX_TITLE = 200
MAX_ANOMALIES = 20


def title(signal: Signal) -> str:
    """Return a title in plain text: the service, the operation and the number that hurts most."""
    item = root_red(signal)
    calls = root_calls(signal)
    if item is not None:
        said = _symptom(signal.root_operation, f"{signal.root_operation} requests", item)
    elif calls is not None:
        said = _symptom(f"calling it from {calls.caller}", f"calls from {calls.caller}", calls)
    else:
        said = f"{signal.root_operation} is unhealthy"
    return plain(f"{signal.root_service}: {said}", MAX_TITLE)


def _symptom(operation: str, requests: str, item: RedEvidence | EdgeEvidence) -> str:
    before, after = item.before, item.after
    if after.errors:
        return f"{percent(after.errors, after.requests)} of {requests} fail"
    if slower(item):
        return f"{operation} is slow, p95 {milliseconds(after.p95_ms)} instead of {milliseconds(before.p95_ms)}"
    return f"{operation} is unhealthy"


def body(incident: Incident, dashboard_url: str | None) -> str:
    """Return the issue's text: what, since when, how much, and what happens next."""
    signal = incident.signal
    if signal is None:
        return paragraphs(escape(incident.body, 4000), _next())
    waited = duration(signal.detected - signal.onset)
    since = f"Since {moment(signal.onset)}, noticed {waited} later."
    item = root_red(signal)
    link = f"[Live evidence]({dashboard_url}) · " if dashboard_url else ""
    facts = f"{link}Severity **{signal.severity}** · environment {code(signal.environment, MAX_NAME)}"
    return paragraphs(
        f"{impact(signal)}. {since}",
        _numbers(item, signal) if item else "",
        facts,
        "### What was noticed",
        _anomalies(signal),
        _next(),
    )


def _numbers(item: RedEvidence, signal: Signal) -> str:
    before, after = item.before, item.after
    normal, fault = signal.evidence.normal, signal.evidence.fault
    rows = [
        ("requests", _requests(before, normal), _requests(after, fault)),
        ("failed", _failed(before), _failed(after)),
        ("p50", milliseconds(before.p50_ms), milliseconds(after.p50_ms)),
        ("p95", milliseconds(before.p95_ms), milliseconds(after.p95_ms)),
        ("p99", milliseconds(before.p99_ms), milliseconds(after.p99_ms)),
    ]
    return table((code_cell(item.operation, MAX_NAME), "before", "now"), rows)


def _requests(summary: RedSummary, stretch: Stretch) -> str:
    return f"{number(summary.requests)} in {duration(stretch.end - stretch.start)}"


def _failed(summary: RedSummary) -> str:
    return f"{number(summary.errors)} ({percent(summary.errors, summary.requests)})" if summary.requests else NOTHING


def _anomalies(signal: Signal) -> str:
    found = sorted(signal.anomalies, key=lambda anomaly: anomaly.onset)[:MAX_ANOMALIES]
    rows = [
        (
            escape(anomaly.key.service, MAX_NAME),
            code_cell(anomaly.key.operation, MAX_NAME),
            DETECTORS[anomaly.detector],
            f"{anomaly.onset:%H:%M:%S}",
            escape(anomaly.reason, 300),
        )
        for anomaly in found
    ]
    in_all = len(signal.anomalies) + signal.more_anomalies
    rest = f"The first {len(rows)} of {number(in_all)} anomalies." if in_all > len(rows) else ""
    return paragraphs(table(("service", "operation", "what", "since (UTC)", "numbers"), rows), rest)


def _next() -> str:
    return (
        "**What happens next.** SRE-Space looks for the cause and posts what it finds in a comment below, which it "
        "keeps up to date. It changes nothing in this repository without an approval. To handle this by yourselves, "
        "close this issue."
    )

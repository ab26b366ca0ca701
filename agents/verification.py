"""Did the fix work? Pure judgement over SLI reports of the deployed revision."""

from collections.abc import Sequence
from datetime import datetime

from agents.incident import Incident
from telemetry.model import Frozen, Health, RedEvidence, SeriesKey, SliReport, SliWindow

SERIES_TOLD = 8
"""In the sentence about what telemetry says: a comment on GitHub has its bounds."""


class Watch(Frozen):
    """A series to look at. Broken ones must carry traffic and be healthy; neighbours must not be unhealthy."""

    key: SeriesKey
    broken: bool


def watched(incident: Incident) -> tuple[Watch, ...]:
    """Return the series of the incident's anomalies, then those of its evidence that were not broken."""
    if incident.signal is None:
        return ()
    broken = {anomaly.key for anomaly in incident.signal.anomalies}
    neighbours = {
        SeriesKey(
            tenant=incident.tenant,
            environment=incident.environment,
            service=item.service,
            operation=item.operation,
        )
        for item in incident.signal.evidence.items
        if isinstance(item, RedEvidence) and item.before.requests
    }
    ordered = sorted(broken | neighbours, key=lambda key: (key.service, key.operation))
    return tuple(Watch(key=key, broken=key in broken) for key in ordered)


def healthy_run(report: SliReport) -> tuple[SliWindow, ...]:
    """Return the newest windows that are healthy without a break; a window without data ends the run."""
    run: list[SliWindow] = []
    for window in reversed(report.windows):
        if window.health is not Health.HEALTHY:
            break
        run.append(window)
    return tuple(reversed(run))


def healthy_windows(reports: Sequence[tuple[Watch, SliReport]]) -> int:
    """Return for how many windows everything has been well: the worst broken series counts.

    A saturated pool, or a neighbour whose newest window is unhealthy, makes it 0; so does a broken series of which
    there is no report, because what was not seen has not recovered.
    """
    broken = [report for watch, report in reports if watch.broken]
    if not broken or any(report.saturated for _, report in reports):
        return 0
    if any(report.windows and report.windows[-1].health is Health.UNHEALTHY for _, report in reports):
        return 0
    return min(len(healthy_run(report)) for report in broken)


def impact_stopped(reports: Sequence[tuple[Watch, SliReport]]) -> datetime | None:
    """Return when the last broken series became healthy for good, as far as the reports reach."""
    starts = [run[0].start for watch, report in reports if watch.broken and (run := healthy_run(report))]
    return max(starts, default=None)


def judgement(reports: Sequence[tuple[Watch, SliReport]]) -> str:
    """Return one sentence with the numbers of the newest windows of the broken series, of many the worst."""
    seen = [(watch.key, report.windows[-1]) for watch, report in reports if watch.broken and report.windows]
    if not seen:
        return "no traffic was seen"
    told = sorted(seen, key=lambda pair: -_error_ratio(pair[1]))[:SERIES_TOLD] if len(seen) > SERIES_TOLD else seen
    parts = [_said(key, window) for key, window in told]
    if len(seen) > len(told):
        parts.append(f"and {len(seen) - len(told)} more series")
    return "; ".join(parts)


def _error_ratio(window: SliWindow) -> float:
    return window.errors / window.requests if window.requests else 0.0


def _said(key: SeriesKey, window: SliWindow) -> str:
    p95 = f", p95 {window.p95_ms:.0f} ms" if window.p95_ms is not None else ""
    return f"{key.service} {window.errors} of {window.requests} requests failed{p95}"

"""Gauges that moved: CPU that is taken from a service or burnt by it, and other metrics as symptoms."""

import re
from collections.abc import Iterator

from agents.diagnosis import CauseKind
from agents.rca import words
from agents.rca.finding import Finding, finding
from agents.rca.view import View
from telemetry.model import MetricEvidence

_CPU = re.compile(r"cpu", re.IGNORECASE)
_OF_LIMIT = re.compile(r"utili[sz]ation", re.IGNORECASE)
_OF_MACHINE = re.compile(r"(^|[._])(node|host|system)[._]")


def find_busy_cpus(view: View) -> Iterator[Finding]:
    """Yield services whose CPU utilization rose far beyond normal."""
    p = view.parameters
    for service, metrics in view.metrics.items():
        rises = [(item.after - (item.before or 0.0), item) for item in metrics if _is_cpu(item)]
        moved = [(rise, item) for rise, item in rises if rise >= p.cpu_rise_floor]
        if moved:
            rise, item = max(moved, key=lambda found: found[0])
            clear = min(1.0, (item.score or 0.0) / p.cpu_score_full)
            far = (rise - p.cpu_rise_floor) / (p.cpu_rise_full - p.cpu_rise_floor)
            weight = p.w_cpu if item.after >= p.cpu_full else p.w_cpu * min(1.0, far) * clear
            text = (
                f"{item.metric} of {service} rose to {words.percent(item.after)}, "
                f"{words.percent(item.before or 0.0)} before ({item.score:.0f} deviations)"
            )
            yield finding(service, None, CauseKind.CPU_CONTENTION, weight, text, item.id)


def _is_cpu(item: MetricEvidence) -> bool:
    of_service = _CPU.search(item.metric) and not _OF_MACHINE.search(item.metric)
    return bool(of_service and _OF_LIMIT.search(item.metric) and item.score is not None)


def find_moved_gauges(view: View) -> Iterator[Finding]:
    """Yield the gauge of each service that moved most, as a symptom; gauges of the machine tell no service."""
    p = view.parameters
    for service, metrics in view.metrics.items():
        scored = [item for item in metrics if item.score is not None and not _OF_MACHINE.search(item.metric)]
        if scored:
            item = max(scored, key=lambda item: (abs(item.score or 0.0), item.metric))
            weight = p.w_gauge * min(1.0, abs(item.score or 0.0) / p.gauge_score_full)
            text = (
                f"{item.metric} of {service} went to {words.number(item.after)}, {words.number(item.before or 0.0)} "
                f"before ({item.score:.0f} deviations)"
            )
            yield finding(service, None, None, weight, text, item.id)

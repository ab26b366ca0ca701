"""An EvidenceBundle, indexed by what the ranking asks for."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from agents.rca.parameters import Parameters
from telemetry.model import (
    EdgeEvidence,
    EvidenceBundle,
    FlowEvidence,
    MetricEvidence,
    RedEvidence,
    RedSummary,
    SignatureEvidence,
    TimeEvidence,
    TraceEvidence,
    VersionEvidence,
)


@dataclass(frozen=True)
class View:
    """The items of a bundle by service, in an order that does not depend on the bundle's."""

    bundle: EvidenceBundle
    parameters: Parameters
    reds: dict[str, list[RedEvidence]] = field(default_factory=lambda: defaultdict(list))
    edges: list[EdgeEvidence] = field(default_factory=list)
    signatures: dict[str, list[SignatureEvidence]] = field(default_factory=lambda: defaultdict(list))
    metrics: dict[str, list[MetricEvidence]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[str, list[VersionEvidence]] = field(default_factory=lambda: defaultdict(list))
    traces: list[TraceEvidence] = field(default_factory=list)
    ways: list[TimeEvidence] = field(default_factory=list)
    own: list[TimeEvidence] = field(default_factory=list)
    flows: list[FlowEvidence] = field(default_factory=list)

    @property
    def rate_factor(self) -> float:
        """Factor from a count of the normal stretch to what is expected in the fault stretch; 0 if unknown."""
        normal = (self.bundle.normal.end - self.bundle.normal.start).total_seconds()
        fault = (self.bundle.fault.end - self.bundle.fault.start).total_seconds()
        return fault / normal if normal > 0 and fault > 0 else 0.0

    def edges_from(self, service: str) -> list[EdgeEvidence]:
        """Return the calls that `service` makes."""
        return [edge for edge in self.edges if edge.caller == service and edge.callee != service]

    def edges_to(self, service: str) -> list[EdgeEvidence]:
        """Return the calls that others make to `service`."""
        return [edge for edge in self.edges if edge.callee == service and edge.caller != service]

    def callees(self, service: str) -> set[str]:
        """Return what `service` calls, directly or through others."""
        found: set[str] = set()
        open_ends = [service]
        while open_ends:
            new = self._called.get(open_ends.pop(), set()) - found
            found |= new
            open_ends.extend(new)
        return found - {service}

    @cached_property
    def _called(self) -> dict[str, set[str]]:
        called: dict[str, set[str]] = {}
        for caller, callee in [(e.caller, e.callee) for e in self.edges] + [(w.caller, w.service) for w in self.ways]:
            called.setdefault(caller or "", set()).add(callee)
        return called

    def recent_change(self, service: str) -> VersionEvidence | None:
        """Return the newest deploy of `service` that came shortly before the fault, if there was one."""
        start = self.bundle.fault.start
        earliest = start - timedelta(seconds=self.parameters.recent_change_s)
        latest = start + timedelta(seconds=self.parameters.change_slack_s)
        recent = [
            item
            for item in self.changes.get(service, [])
            if (item.version_before or item.revision_before) and earliest <= item.changed_at <= latest
        ]
        return max(recent, key=lambda item: (item.changed_at, item.id), default=None)

    def gone(self, service: str) -> bool:
        """Return whether `service` reported requests before and (nearly) none since."""
        before = sum(item.before.requests for item in self.reds.get(service, []))
        after = sum(item.after.requests for item in self.reds.get(service, []))
        expected = before * self.rate_factor
        return expected >= 1 and after < expected * self.parameters.traffic_floor_ratio


def view_of(bundle: EvidenceBundle, parameters: Parameters) -> View:
    """Return the bundle indexed; items are sorted by id, so that their order in the bundle does not matter."""
    view = View(bundle, parameters)
    for item in sorted(bundle.items, key=lambda item: id_order(item.id)):
        match item:
            case RedEvidence():
                view.reds[item.service].append(item)
            case EdgeEvidence():
                view.edges.append(item)
            case SignatureEvidence():
                view.signatures[item.service].append(item)
            case MetricEvidence():
                view.metrics[item.service].append(item)
            case VersionEvidence():
                view.changes[item.service].append(item)
            case TraceEvidence():
                view.traces.append(item)
            case TimeEvidence():
                (view.ways if item.measure == "way" else view.own).append(item)
            case FlowEvidence():
                view.flows.append(item)
    return view


def id_order(item_id: str) -> tuple[int, str]:
    """Return a sort key that puts E9 before E10."""
    digits = "".join(character for character in item_id if character.isdecimal())
    return (int(digits) if digits else 0, item_id)


def error_rise(before: RedSummary, after: RedSummary, parameters: Parameters) -> float:
    """Return by how much the error ratio rose, in [0, 1]; 0 when the rise does not count as a change."""
    if after.requests == 0 or after.errors < parameters.min_errors:
        return 0.0
    now = after.errors / after.requests
    then = before.errors / before.requests if before.requests else 0.0
    if now < parameters.error_ratio_floor or now < then * parameters.error_ratio_factor:
        return 0.0
    return now - then


def latency_rise_ms(before: RedSummary, after: RedSummary, parameters: Parameters) -> float:
    """Return by how much p95 rose, in milliseconds; 0 when the rise does not count as a change, or is unknown."""
    if before.p95_ms is None or after.p95_ms is None:
        return 0.0
    rise_ms = after.p95_ms - before.p95_ms
    if rise_ms < parameters.latency_floor_ms or after.p95_ms < before.p95_ms * parameters.latency_factor:
        return 0.0
    return rise_ms


def total(summaries: Iterable[RedSummary]) -> tuple[int, int]:
    """Return the sums of requests and of errors."""
    counted = [(summary.requests, summary.errors) for summary in summaries]
    return sum(requests for requests, _ in counted), sum(errors for _, errors in counted)

"""Which service a group of findings probably comes from; Brain decides, this names the first suspect."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.detect.severity import lowered, raised, worst
from telemetry.graph import Graph
from telemetry.model import AnomalyState, Detector, SeriesKey, Severity

_REQUESTS = (Detector.ERRORS, Detector.LATENCY, Detector.BURN_RATE)
_NO_CANDIDATES = frozenset({Detector.NEW_SIGNATURE, Detector.TRAFFIC})


def voters(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that have a say in where the root is.

    A mere suspicion counts only while its newest window is bad, a new signature or changed traffic only when there is
    nothing else.
    """
    voting = [f for f in findings if f.state is not AnomalyState.SUSPECT or f.bad_now]
    return [f for f in voting if f.detector not in _NO_CANDIDATES] or voting


def deepest(services: Collection[str], graph: Graph, hops: int) -> list[str]:
    """Return the services that call no other of them within `hops`, unless both call each other; all when none is."""
    reach = {service: graph.below(service, hops) & set(services) for service in services}
    return [s for s in services if all(s in reach[callee] for callee in reach[s])] or list(services)


def highest(services: Collection[str], graph: Graph, hops: int) -> list[str]:
    """Return the services that no other of them calls within `hops`, unless both call each other; all when none is."""
    reach = {service: graph.below(service, hops) & set(services) for service in services}
    callers: dict[str, set[str]] = {service: set() for service in services}
    for service, callees in reach.items():
        for callee in callees:
            callers[callee].add(service)
    return [s for s in services if callers[s] <= reach[s]] or list(services)


def root_candidate(findings: Sequence[Finding], graph: Graph, leaves: Mapping[str, int], hops: int) -> SeriesKey | None:
    """Return the series that the disturbance probably comes from, None without any finding.

    1. Deepest in the graph: a service that calls a disturbed one (within `hops`) suffers from it, unless both
       call each other. So a slow callee wins over callers that answer errors because they gave up waiting.
    2. A saturated resource in the service.
    3. Its share of the error leaves: ERROR spans without an ERROR child.
    4. Its earliest onset, then its name, so that the answer is the same every time.

    Changed traffic alone comes from the caller: there the highest in the graph wins, not the deepest.
    """
    voting = voters(findings)
    services = {f.key.service for f in voting}
    if not services:
        return None
    traffic_only = all(f.detector is Detector.TRAFFIC for f in voting)
    front = (highest if traffic_only else deepest)(services, graph, hops)
    saturated = {f.key.service for f in voting if f.detector is Detector.SATURATION}
    onset: dict[str, int] = {}
    for finding in voting:
        service = finding.key.service
        onset[service] = min(onset.get(service, finding.onset_s), finding.onset_s)
    root = min(front, key=lambda s: (s not in saturated, -leaves.get(s, 0), onset[s], s))
    return _operation([f for f in voting if f.key.service == root])


def _operation(findings: Sequence[Finding]) -> SeriesKey:
    """Return the series of the service's first finding on requests, else of its first finding."""
    first = min(findings, key=lambda f: (f.detector not in _REQUESTS, f.onset_s, f.key.operation))
    return first.key


def group_severity(findings: Sequence[Finding], graph: Graph, known: Collection[str], config: DetectConfig) -> Severity:
    """Return the severity of the worst finding, shifted by the blast radius among the `known` services.

    One step lower while neither an entry service is disturbed nor an objective's budget burns: no user sees it yet.
    One step higher when at least three services and half of all are disturbed.
    """
    level = worst(f.severity for f in findings)
    services = {f.key.service for f in findings}
    burns = any(f.detector is Detector.BURN_RATE for f in findings)
    if not burns and not any(graph.is_entry(service) for service in services):
        level = lowered(level)
    wide = len(services) >= config.wide_services and len(services) >= config.wide_share * len(known)
    return raised(level) if wide else level

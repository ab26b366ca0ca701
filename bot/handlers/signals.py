"""Signals of Scout: the first of a group opens an incident, later ones bring it up to date."""

from agents.incident import TERMINAL, Agent, Clock, Incident, Stage, TimelineEntry
from agents.signature import incident_signature
from agents.writes import OpenIssue, PostComment, SyncComment, Topic
from bot.comments.opening import title
from bot.events import SignalEvent
from bot.handlers.deps import Deps, id_of_signal
from telemetry.model import Anomaly, AnomalyState, Severity, Signal

WORST_FIRST = list(Severity)


async def handle(incident: Incident | None, event: SignalEvent, deps: Deps) -> Incident | None:
    """Return the incident of the signal's group; its stage is never changed by a later signal."""
    signal = event.signal
    if incident is None:
        return await _opened(signal, deps) if _open(signal) else None
    if incident.signal is not None and signal.sequence <= incident.signal.sequence:
        return incident
    if incident.stage in TERMINAL:
        return _came_back(incident, signal)
    return _updated(incident, signal)


async def _opened(signal: Signal, deps: Deps) -> Incident:
    first = min(_open(signal), key=lambda anomaly: anomaly.onset)
    note = f"{first.key.service} {first.key.operation}: {first.reason}"
    return Incident(
        id=id_of_signal(signal),
        tenant=signal.tenant,
        environment=signal.environment,
        repo=await deps.repo_of(signal),
        title=title(signal),
        stage=Stage.OPENING,
        severity=signal.severity,
        signature=incident_signature(signal),
        service=signal.root_service,
        signal=signal,
        clock=Clock(onset=signal.onset, detected=signal.detected),
        timeline=(TimelineEntry(at=deps.now(), agent=Agent.SCOUT, stage=Stage.OPENING, note=note),),
    ).send(OpenIssue())


def _open(signal: Signal) -> list[Anomaly]:
    return [anomaly for anomaly in signal.anomalies if anomaly.state is AnomalyState.CONFIRMED]


def _updated(incident: Incident, signal: Signal) -> Incident:
    """Take over what is new. Once there is a diagnosis its evidence stays, because its claims cite it by id."""
    if incident.diagnosis is not None and incident.signal is not None:
        signal = signal.model_copy(update={"evidence": incident.signal.evidence})
    severity = min(incident.severity, signal.severity, key=WORST_FIRST.index)
    updated = incident.evolve(signal=signal, severity=severity)
    return updated.send(SyncComment()) if incident.issue is not None else updated


def _came_back(incident: Incident, signal: Signal) -> Incident:
    """Say on an incident that has ended that its fault is back; without anything new nothing is said."""
    ended = incident.timeline[-1].at if incident.timeline else incident.clock.detected
    new = [anomaly for anomaly in _open(signal) if anomaly.onset > ended]
    updated = incident.evolve(signal=signal.model_copy(update={"evidence": _kept(incident, signal).evidence}))
    if not new or incident.issue is None:
        return updated
    note = f"{new[0].key.service} {new[0].key.operation}: {new[0].reason}"
    return updated.send(PostComment(key=f"flapping:{signal.sequence}", topic=Topic.FLAPPING, note=note))


def _kept(incident: Incident, signal: Signal) -> Signal:
    return incident.signal or signal

"""Scout's step: does the anomaly still hold?"""

from agents.incident import Agent, Incident, Stage
from agents.ports import Now, Step, Telemetry
from agents.results import escalate
from agents.signature import incident_signature
from agents.writes import CloseIssue
from telemetry.model import Signal


def scout(telemetry: Telemetry, now: Now) -> Step:
    """Build the step for `observing`.

    An incident whose anomalies have closed by themselves ends as dismissed. One that a person opened gets the signal
    of its service, if Scout has an open one; otherwise it is handed to people, because there is nothing to reason from.
    """

    async def observe(incident: Incident) -> Incident:
        if incident.signal is None:
            return await _attach(incident, telemetry, now)
        status = await telemetry.group(incident.signal.group_id)
        if status is not None and not status.open:
            note = "Every series is back to normal without any change of ours."
            ended = incident.move(Stage.DISMISSED, Agent.SCOUT, note, now())
            return ended.send(CloseIssue(completed=False))
        return _confirm(incident, incident.signal, now)

    return observe


async def _attach(incident: Incident, telemetry: Telemetry, now: Now) -> Incident:
    service = incident.service or ""
    signals = await telemetry.signals(incident.tenant, None, service)  # a person names no environment
    if not signals:
        note = f"Telemetry shows no anomaly on {service} now, so there is no evidence to reason from."
        return escalate(incident, Agent.SCOUT, note, now())
    signal = min(signals, key=lambda found: found.onset)
    clock = incident.clock.model_copy(update={"onset": signal.onset, "detected": signal.detected})
    return _confirm(
        incident.evolve(signal=signal, environment=signal.environment, severity=signal.severity, clock=clock),
        signal,
        now,
    )


def _confirm(incident: Incident, signal: Signal, now: Now) -> Incident:
    root = min(signal.anomalies, key=lambda anomaly: (anomaly.key.service != signal.root_service, anomaly.onset))
    series = f"{len({a.key for a in signal.anomalies})}{' or more' if signal.more_anomalies else ''} series"
    note = f"Confirmed on {series}; {root.key.service}: {root.reason}"
    signature = incident_signature(signal)
    return incident.move(Stage.RECALLING, Agent.SCOUT, note, now(), signature=signature, service=signal.root_service)

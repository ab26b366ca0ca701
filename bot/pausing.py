"""Non-critical agents wait while the worker is short of memory; verification, approval and reverts never do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from agents.incident import Agent, Incident
from agents.ports import Now, Step

log = structlog.get_logger()

CAN_WAIT: Final = frozenset({Agent.JULES})
"""By then the incident is resolved, its fix verified and remembered: only a proposal comes later."""
LOOK_AGAIN: Final = timedelta(seconds=30)
PATIENCE: Final = timedelta(minutes=10)
NOTE: Final = "Memory is short here; this step waits, for ten minutes at most."


def pausing(
    agent: Agent, step: Step, is_short: Callable[[], bool], now: Now, paused: Callable[[Agent], None] = lambda _: None
) -> Step:
    """Return the step of an agent that can wait, which does nothing but wait while `is_short` says so.

    It says so on the timeline once, and goes on after ten minutes whatever the memory: a limit that is set too low
    must not keep incidents from ending.
    """
    if agent not in CAN_WAIT:
        return step

    async def patient(incident: Incident) -> Incident:
        at = now()
        began = _began(incident, at)
        if not is_short() or at - began >= PATIENCE:
            return await step(incident)
        paused(agent)
        log.info("agent_paused", agent=agent, waits_s=LOOK_AGAIN.total_seconds())
        if _waits(incident):
            return incident.evolve(wake_at=at + LOOK_AGAIN)
        return incident.move(incident.stage, agent, NOTE, at).evolve(wake_at=at + LOOK_AGAIN)

    return patient


def _waits(incident: Incident) -> bool:
    return bool(incident.timeline) and incident.timeline[-1].note == NOTE


def _began(incident: Incident, at: datetime) -> datetime:
    return incident.timeline[-1].at if _waits(incident) else at

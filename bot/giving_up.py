"""Tells people once, on the issue, that something could not be done after many tries."""

import structlog

from agents.errors import SreSpaceError
from agents.incident import TERMINAL, Agent
from agents.ports import Now
from agents.results import escalate
from bot.db.store import Store
from bot.observability.observer import Observer
from bot.sweeper import GaveUp, Given

log = structlog.get_logger()


def giving_up(store: Store, now: Now, observer: Observer) -> GaveUp:
    """Return the function that hands the incident of lost work to people; what cannot be told is in the log."""

    async def gave_up(given: Given) -> None:
        if given.incident_id is None:
            return
        known = await store.load(given.incident_id)
        if known is None or known[0].stage in TERMINAL:
            return
        incident, version = known
        agent = incident.timeline[-1].agent if incident.timeline else Agent.SCOUT
        handed_over = escalate(incident, agent, f"I gave up after many tries: {given.reason}", now())
        try:
            await store.save(handed_over, version)
        except SreSpaceError as error:
            log.warning("escalation_not_stored", reason=str(error))
        else:
            observer.saved(incident, handed_over)

    return gave_up

"""Works off what is due, in this process, until every incident waits for somebody or for later."""

import asyncio
from datetime import datetime, timedelta

from agents.incident import Incident
from agents.stages import ACTS
from bot.app.work import Work
from bot.db.store import Store
from bot.queue.memory import MemoryQueue

IDLE_S = 0.25
LOOKED_AT = 1000
"""So many of the newest incidents may still have something to do."""


async def work_off(work: Work, queue: MemoryQueue, *, max_wait_s: float) -> None:
    """Return when nothing is left to do, or when what is left has to wait beyond `max_wait_s`.

    The sweeper wakes what asked to be woken, and gives up what is hopeless.

    Raises:
        Whatever a job raises that is not the business of its lane: a defect of ours.
    """
    store, now = work.adapters.store, work.adapters.now
    until = now() + timedelta(seconds=max_wait_s)
    while True:
        failures = await queue.run_due(work.jobs)
        if failures:
            raise failures[0]
        if not queue.waiting and not await is_busy(store, until):
            return
        if now() > until:
            return
        await work.sweeper.sweep()
        if not queue.waiting:
            await asyncio.sleep(IDLE_S)


async def is_busy(store: Store, until: datetime) -> bool:
    """Return whether something is to be done before `until` without anybody's doing."""
    if await store.inbox.pending(limit=1):
        return True
    for incident in await store.list_incidents(LOOKED_AT):
        if _acts(incident, until) or await store.outbox.pending(incident.id):
            return True
    return False


def _acts(incident: Incident, until: datetime) -> bool:
    return incident.stage in ACTS and (incident.wake_at is None or incident.wake_at <= until)

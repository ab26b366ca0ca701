"""Finds work whose wake-up was lost, and gives up work that fails again and again, saying so once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

import structlog

from agents.ports import Now
from bot.db.store import Store
from bot.queue.port import Queue, QueueUnavailableError
from telemetry.errors import SreSpaceError, TransientError
from telemetry.model import Frozen

log = structlog.get_logger()

LANE: Final = "sweeper"
_PURGE_EVERY: Final = timedelta(hours=1)


class Given(Frozen):
    """Work that is given up: a delivery, a write of an incident, or the incident's own next step."""

    kind: Literal["delivery", "write", "incident"]
    id: str
    incident_id: str | None = None
    reason: str


GaveUp = Callable[[Given], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SweepPolicy:
    """How patient the sweeper is."""

    every_s: float = 1.0
    delivery_attempts: int = 10
    write_attempts: int = 20
    incident_wakes: int = 10
    keep_deliveries: timedelta = timedelta(days=30)


@dataclass(slots=True)
class Sweeper:
    """One per worker process; a lease sees to it that only one of them sweeps at a time."""

    store: Store
    queue: Queue
    gave_up: GaveUp
    now: Now
    owner: str
    policy: SweepPolicy = field(default_factory=SweepPolicy)

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set. Neither a silent database nor a silent queue ends it."""
        purged = self.now() - _PURGE_EVERY
        while not stop.is_set():
            try:
                if await self._is_mine():
                    await self.sweep()
                    if self.now() - purged >= _PURGE_EVERY:
                        await self.store.inbox.purge(self.now() - self.policy.keep_deliveries)
                        purged = self.now()
            except SreSpaceError as error:
                log.warning("sweep_failed", reason=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.policy.every_s)
        with contextlib.suppress(TransientError):
            await self.store.release(LANE, self.owner)

    async def _is_mine(self) -> bool:
        ttl_s = max(5.0, self.policy.every_s * 5)
        return await self.store.renew(LANE, self.owner, ttl_s) or await self.store.lease(LANE, self.owner, ttl_s)

    async def sweep(self) -> int:
        """Wake once what is due, give up what is hopeless, and return how many jobs were asked for."""
        await self._give_up()
        now = self.now()
        asked = 0
        for row_id, wake in await self.store.inbox.due(now, max_attempts=self.policy.delivery_attempts):
            asked += await self._wake("process_delivery", row_id, wake)
        for incident_id, wake in await self.store.due(now, max_wakes=self.policy.incident_wakes):
            asked += await self._wake("advance", incident_id, wake)
        if asked:
            log.info("work_found", jobs=asked)
        return asked

    async def _wake(self, job: str, subject: str | int, wake: int) -> bool:
        """Ask for a job. The wake's number is part of its id, so that one that hangs does not hold up the next."""
        try:
            return await self.queue.enqueue(job, subject, job_id=f"{job}:{subject}:{wake}")
        except QueueUnavailableError as error:
            log.warning("wake_up_lost", job=job, subject=subject, reason=str(error))
            return False

    async def _give_up(self) -> None:
        attempts = self.policy.delivery_attempts
        for delivery in await self.store.inbox.exhausted(self.now(), max_attempts=attempts):
            reason = delivery.note or "the worker ended while it worked on it"
            await self.store.inbox.fail(delivery.id, reason)
            await self._say(Given(kind="delivery", id=delivery.guid, reason=reason))
        for row, reason in await self.store.outbox.exhausted(max_attempts=self.policy.write_attempts):
            await self.store.outbox.fail(row.id, reason)
            await self._say(Given(kind="write", id=row.key, incident_id=row.incident_id, reason=reason))
        for incident_id in await self.store.suspend_stalled(self.now(), max_wakes=self.policy.incident_wakes):
            reason = "it was taken up again and again without getting any further"
            await self._say(Given(kind="incident", id=incident_id, incident_id=incident_id, reason=reason))

    async def _say(self, given: Given) -> None:
        log.error("work_given_up", kind=given.kind, subject=given.id, reason=given.reason)
        await self.gave_up(given)

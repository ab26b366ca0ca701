"""A lane: the work on one incident, one thing at a time, from a delivery or a wake-up until it waits again."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable

import structlog
from structlog.contextvars import bound_contextvars

from agents.errors import SreSpaceError, StaleIncidentError, TransientError
from agents.graph import Graph, run
from agents.incident import Incident
from agents.ports import Now
from agents.results import apply, escalate
from agents.stages import ACTS
from agents.writes import AnyWrite, Result
from bot.adapters.github.calls import counting
from bot.db.rows import InboxRow, OutboxRow, Status
from bot.db.store import Store
from bot.events import Routed
from bot.observability.observer import Observer

log = structlog.get_logger()

Route = Callable[[InboxRow], Awaitable[Routed]]
Handle = Callable[[Incident | None, Routed], Awaitable[Incident | None]]
Deliver = Callable[[Incident, AnyWrite], Awaitable[Result]]

ROUNDS = 200
"""More rounds than any incident needs: a lane that goes round and round is a bug, and must not spin for ever."""


class LaneBusyError(TransientError):
    """Another job works on this incident now."""


class Lanes:
    """Runs deliveries and wake-ups through handlers, graph and outbox."""

    def __init__(
        self,
        store: Store,
        graph: Graph,
        *,
        route: Route,
        handle: Handle,
        deliver: Deliver,
        now: Now,
        lease_s: float = 15.0,
        observer: Observer | None = None,
    ) -> None:
        self._observer = observer or Observer()
        self._store = store
        self._graph = graph
        self._route = route
        self._handle = self._observer.handling(handle)
        self._deliver = self._observer.delivering(deliver)
        self._now = now
        self._lease_s = lease_s

    async def process_delivery(self, row_id: int) -> None:
        """Handle one row of the inbox, then advance its incident as far as it goes.

        A transient error leaves the row for a later try, and so does a lane that is busy, which is not counted as
        a try; any other error of ours fails it and is logged.
        """
        row = await self._store.inbox.get(row_id)
        if row is None or row.status is not Status.PENDING:
            return
        with bound_contextvars(delivery_id=row.guid, event_name=row.event):
            outcome = "failed"
            try:
                await self._process(row)
                outcome = "handled"
            except StaleIncidentError as error:
                outcome = "postponed"
                await self._store.inbox.retry(row.id, str(error), delay_s=0.2)
            except TransientError as error:
                outcome = "busy" if isinstance(error, LaneBusyError) else "postponed"
                log.info("delivery_postponed", reason=str(error))
                await self._store.inbox.retry(row.id, str(error), delay_s=error.retry_after_s)
            except SreSpaceError as error:
                log.warning("delivery_failed", reason=str(error))
                await self._store.inbox.fail(row.id, str(error))
            finally:
                self._observer.meters.delivery(row.event, outcome)

    async def _process(self, row: InboxRow) -> None:
        routed = await self._route(row)
        incident_id = routed.incident_id
        lane = incident_id or f"{row.repo_id}#{row.number}"
        with bound_contextvars(incident_id=incident_id), self._observer.about(incident_id):
            async with self._lease(lane):
                if await self._store.inbox.claim(row.id) is None:
                    return
                incident = await self._receive(routed)
                if incident is not None:
                    await self._advance_safely(incident.id)

    async def _receive(self, routed: Routed) -> Incident | None:
        row = routed.row
        known = await self._store.load(routed.incident_id) if routed.incident_id else None
        before, version = known or (None, 0)
        with counting() as calls:
            after = await self._handle(before, routed)
        if after is None:
            await self._store.inbox.finish(row.id, "no change")
            return before
        after = after.evolve(github_calls=after.github_calls + calls.count)
        await self._store.save(after, version, delivery_id=row.id)
        self._observer.saved(before, after)
        return after

    async def advance(self, incident_id: str) -> None:
        """Take up an incident that is due; does nothing while another job holds its lane."""
        with bound_contextvars(incident_id=incident_id), self._observer.about(incident_id):
            try:
                async with self._lease(incident_id):
                    await self._advance_safely(incident_id)
            except LaneBusyError:
                return

    async def _advance_safely(self, incident_id: str) -> None:
        """Advance; what is transient waits for the sweeper, which wakes the incident again."""
        try:
            await self._advance(incident_id)
        except TransientError as error:
            log.info("incident_postponed", reason=str(error))
        except StaleIncidentError as error:
            log.warning("incident_moved_meanwhile", reason=str(error))

    async def _advance(self, incident_id: str) -> None:
        """Deliver writes and run steps, in turns, until the incident waits or a write has to wait."""
        for _ in range(ROUNDS):
            loaded = await self._store.claim(incident_id)
            if loaded is None:
                return
            incident, version = loaded
            rows = await self._store.outbox.pending(incident_id)
            if rows:
                if rows[0].next_at > self._now() or not await self._carry_out(rows[0], incident, version):
                    return
            elif not await self._step(incident, version):
                return
        log.error("lane_spins", rounds=ROUNDS)

    async def _carry_out(self, row: OutboxRow, incident: Incident, version: int) -> bool:
        """Deliver one write and store what it led to; False when it has to be tried again later."""
        with counting() as calls:
            try:
                result = await self._deliver(incident, row.write)
            except TransientError as error:
                log.info("write_postponed", write=row.write.kind, reason=str(error))
                await self._store.outbox.retry(row.id, str(error), delay_s=error.retry_after_s)
                return False
        after = apply(incident, row.write, result, self._now())
        after = after.evolve(github_calls=after.github_calls + calls.count)
        await self._store.delivered(row, after, version, result=result)
        self._observer.saved(incident, after)
        log.info("write_delivered", write=row.write.kind, ok=result.ok)
        return True

    async def _step(self, incident: Incident, version: int) -> bool:
        """Run the graph from the incident's stage, storing every step; False when no agent has its turn."""
        due = incident.wake_at is None or incident.wake_at <= self._now()
        if incident.stage not in ACTS or not due:
            return False
        last = incident
        with counting() as calls:
            try:
                async for after in run(self._graph, incident.evolve(wake_at=None)):
                    before, last = last, after.evolve(github_calls=incident.github_calls + calls.count)
                    version = await self._store.save(last, version)
                    self._observer.saved(before, last)
                    log.info("step_finished", stage=after.stage)
            except (TransientError, StaleIncidentError):
                raise
            except SreSpaceError as error:
                log.warning("step_failed", stage=last.stage, reason=str(error))
                handed_over = escalate(last, ACTS[last.stage], f"I cannot go on by myself: {error}", self._now())
                before, last = last, handed_over.evolve(github_calls=incident.github_calls + calls.count)
                await self._store.save(last, version)
                self._observer.saved(before, last)
        return last.stage is not incident.stage or bool(last.outgoing)

    @contextlib.asynccontextmanager
    async def _lease(self, lane: str) -> AsyncGenerator[None]:
        owner = uuid.uuid4().hex
        if not await self._store.lease(lane, owner, self._lease_s):
            raise LaneBusyError(f"another job works on {lane}", retry_after_s=0.5)
        keeper = asyncio.create_task(self._keep(lane, owner))
        try:
            yield
        finally:
            keeper.cancel()
            await self._store.release(lane, owner)

    async def _keep(self, lane: str, owner: str) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            if not await self._store.renew(lane, owner, self._lease_s):
                log.error("lease_lost", lane=lane)
                return

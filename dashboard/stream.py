"""One reader of the event table for all clients, and a bounded queue for each of them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import structlog

from dashboard.model import EventRecord
from dashboard.ports import ReadModel

log = structlog.get_logger()

PAGE = 200


class Broadcaster:
    """Reads new events every `poll_s` seconds while anybody listens, and hands them to every client.

    A client that does not keep up with `queue_size` events gets None, which means: your picture is stale, load it anew.
    """

    def __init__(self, read: ReadModel, *, poll_s: float = 0.5, queue_size: int = 256) -> None:
        self._read = read
        self._poll_s = poll_s
        self._queue_size = queue_size
        self._clients: set[asyncio.Queue[EventRecord | None]] = set()
        self._sequence = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def clients(self) -> int:
        """Return how many clients listen now."""
        return len(self._clients)

    @contextlib.asynccontextmanager
    async def subscribe(self) -> AsyncGenerator[asyncio.Queue[EventRecord | None]]:
        """Yield a queue of the events from now on; None in it asks for a resync, after which no event follows."""
        queue: asyncio.Queue[EventRecord | None] = asyncio.Queue(self._queue_size)
        if self._task is None:
            self._sequence = await self._read.last_sequence()
            self._task = asyncio.create_task(self._pump())
        self._clients.add(queue)
        try:
            yield queue
        finally:
            self._clients.discard(queue)
            if not self._clients:
                self._stop()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _pump(self) -> None:
        while True:
            try:
                events = await self._read.events_after(self._sequence, PAGE)
            except OSError as error:
                log.warning("events_read_failed", reason=str(error))
                events = ()
            for event in events:
                self._sequence = event.sequence
                self._hand_out(event)
            if len(events) < PAGE:
                await asyncio.sleep(self._poll_s)

    def _hand_out(self, event: EventRecord) -> None:
        for queue in list(self._clients):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._clients.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)

"""One reader of the event table for all clients, and a bounded queue for each of them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import structlog
from sse_starlette import ServerSentEvent

from dashboard.model import EventRecord
from dashboard.ports import ReadModel
from telemetry.errors import TransientError

log = structlog.get_logger()

PAGE = 200
HEARTBEAT_S = 15.0
RETRY_MS = 2000
CLIENTS_MAX = 1000


class Broadcaster:
    """Reads new events every `poll_s` seconds while anybody listens, and hands them to every client.

    A client that does not keep up with `queue_size` events gets None, which means: your picture is stale, load it anew.
    `problem` says why events cannot be read at the moment, "" while they can.
    """

    def __init__(self, read: ReadModel, *, poll_s: float = 0.5, queue_size: int = 256) -> None:
        self._read = read
        self._poll_s = poll_s
        self._queue_size = queue_size
        self._clients: set[asyncio.Queue[EventRecord | None]] = set()
        self._sequence = 0
        self._task: asyncio.Task[None] | None = None
        self.problem = ""

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
        if self._task is None:  # another client may have come while the sequence was read
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
            events: tuple[EventRecord, ...] = ()
            try:
                events = await self._read.events_after(self._sequence, PAGE)
                self.problem = ""
            except TransientError as error:
                if not self.problem:
                    log.warning("events_read_failed", reason=str(error))
                self.problem = str(error)
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


async def stream(
    read: ReadModel, broadcaster: Broadcaster, after: int | None, *, heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[ServerSentEvent]:
    """Yield what was missed since `after`, then what happens, a heartbeat in between, or one `resync` and the end.

    A number that is not reached yet belongs to another database: that client is asked to resync, too. A heartbeat
    carries the reason while events cannot be read; when they cannot be read from the start, the stream ends with it,
    and the browser comes back later.
    """
    try:
        async with broadcaster.subscribe() as queue:
            async for message in _follow(read, broadcaster, queue, after, heartbeat_s):
                yield message
    except TransientError as error:
        yield ServerSentEvent(event="heartbeat", data=str(error), retry=RETRY_MS)


async def _follow(
    read: ReadModel,
    broadcaster: Broadcaster,
    queue: asyncio.Queue[EventRecord | None],
    after: int | None,
    heartbeat_s: float,
) -> AsyncIterator[ServerSentEvent]:
    newest = await read.last_sequence()
    sent = newest if after is None else after
    yield ServerSentEvent(event="hello", data=str(newest), retry=RETRY_MS)
    if sent > newest:
        yield _RESYNC
        return
    while missed := await read.events_after(sent, PAGE):
        for event in missed:
            yield _message(event)
        sent = missed[-1].sequence
    while True:
        try:
            event = await asyncio.wait_for(queue.get(), heartbeat_s)
        except TimeoutError:
            yield ServerSentEvent(event="heartbeat", data=broadcaster.problem)
            continue
        if event is None:
            yield _RESYNC
            return
        if event.sequence > sent:
            sent = event.sequence
            yield _message(event)


_RESYNC = ServerSentEvent(event="resync", data="")


def _message(event: EventRecord) -> ServerSentEvent:
    return ServerSentEvent(event="stage", id=str(event.sequence), data=event.model_dump_json())

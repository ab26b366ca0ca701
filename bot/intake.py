"""Signals from the bus into the inbox: from there on they are as safe as webhooks."""

import structlog

from bot.db.inbox import Inbox
from bot.db.rows import Delivery
from bot.queue.port import Queue, QueueUnavailableError
from bot.topics import SIGNALS, UnreadableSignalError, arrived
from telemetry.bus import Bus

log = structlog.get_logger()

GROUP = "worker"


async def take_signals(bus: Bus, inbox: Inbox, queue: Queue, consumer: str) -> None:
    """Store every signal once and wake a worker, until cancelled. A message counts as read once it is stored."""
    async for message in bus.subscribe(SIGNALS, GROUP, consumer):
        try:
            signal = arrived(message.value)
        except UnreadableSignalError as error:
            log.warning("signal_unreadable", message_id=message.id, reason=str(error))
            await message.ack()
            continue
        stored = await inbox.put(Delivery(guid=signal.guid, source="scout", event="signal", payload=signal.payload))
        await message.ack()
        if stored is not None:
            try:
                await queue.enqueue("process_delivery", stored)
            except QueueUnavailableError as error:
                log.warning("wake_up_lost", delivery=stored, reason=str(error))

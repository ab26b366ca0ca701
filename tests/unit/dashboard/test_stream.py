"""The event stream: resumes where a client left off, and never grows without bounds."""

import asyncio

from dashboard.stream import Broadcaster, stream
from tests.unit.dashboard.conftest import event


async def take(messages, count):
    """Return the next messages of a stream as (event, id)."""
    found = [await asyncio.wait_for(anext(messages), 5) for _ in range(count)]
    return [(message.event, message.id) for message in found]


async def test_a_client_resumes_after_the_last_event_that_it_saw(read):
    """Events after `Last-Event-ID` come first, then new ones, each once."""
    messages = stream(read, Broadcaster(read, poll_s=0.01), after=1)
    assert await take(messages, 3) == [("hello", None), ("stage", "2"), ("stage", "3")]
    read.events.append(event(4))
    assert await take(messages, 1) == [("stage", "4")]
    await messages.aclose()


async def test_a_new_client_gets_only_what_happens_from_now_on(read):
    """Without a start the past is not replayed."""
    messages = stream(read, Broadcaster(read, poll_s=0.01), after=None)
    assert await take(messages, 1) == [("hello", None)]
    waiting = asyncio.create_task(anext(messages))
    await asyncio.sleep(0.05)
    read.events.append(event(4))
    assert (await asyncio.wait_for(waiting, 5)).id == "4"
    await messages.aclose()


async def test_a_stream_that_cannot_begin_ends_with_the_reason(read):
    """The browser comes back by itself."""
    read.problem = "the database did not answer"
    messages = [message async for message in stream(read, Broadcaster(read, poll_s=0.01), after=1)]
    assert messages[-1].data == "the database did not answer"


async def test_a_number_from_another_database_is_told_to_resync(read):
    """After a restore the numbers begin anew; waiting for a number that is far away would hide everything."""
    messages = stream(read, Broadcaster(read, poll_s=0.01), after=99)
    assert await take(messages, 2) == [("hello", None), ("resync", None)]


async def test_a_client_that_does_not_keep_up_is_told_to_resync(read):
    """A full queue ends in one resync instead of unbounded memory."""
    broadcaster = Broadcaster(read, poll_s=0.01, queue_size=2)
    async with broadcaster.subscribe() as queue:
        read.events.extend(event(number) for number in range(4, 10))
        await asyncio.sleep(0.1)
        assert queue.get_nowait() is None
        assert broadcaster.clients == 0


async def test_nothing_is_read_while_nobody_listens(read):
    """The reader stops with the last client."""
    broadcaster = Broadcaster(read, poll_s=0.01)
    async with broadcaster.subscribe():
        assert broadcaster._task is not None
    assert broadcaster._task is None


async def test_a_database_that_comes_back_is_read_on_and_clients_are_told_meanwhile(read):
    """A failed read neither ends the stream nor passes for silence: heartbeats carry the reason."""
    messages = stream(read, Broadcaster(read, poll_s=0.01), after=3, heartbeat_s=0.1)
    assert (await take(messages, 2))[1] == ("heartbeat", None)
    read.problem = "the database did not answer"
    while not (beat := await asyncio.wait_for(anext(messages), 5)).data:
        assert beat.event == "heartbeat"
    assert beat.data == "the database did not answer"
    read.problem = ""
    read.events.append(event(4))
    while (message := await asyncio.wait_for(anext(messages), 5)).event == "heartbeat":
        pass
    assert message.id == "4"
    await messages.aclose()

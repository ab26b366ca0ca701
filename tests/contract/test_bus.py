"""One suite for every adapter of the event bus."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from telemetry.bus import Bus, KafkaBus, MemoryBus, Message, RedisStreamsBus
from telemetry.errors import BusUnavailableError
from tests.requirements import need
from tests.support_kafka import INSTALL, REAL, MockKafka, library, mock_kafka, real_kafka
from tests.support_redis import free_port, running_redis

IDLE_S = 0.4
WAIT_S = 30


@dataclass(frozen=True)
class World:
    """A bus, how long nothing must come before nothing comes, and whether a group may have two live members."""

    bus: Bus
    quiet_s: float = 4 * IDLE_S
    shared: bool = True


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a real server."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="module")
def mock() -> Iterator[MockKafka]:
    """Return a mock of a Kafka cluster."""
    need("kafka", library() is not None, INSTALL)
    with mock_kafka() as running:
        yield running


def _kafka(request: pytest.FixtureRequest) -> World:
    """Return a Kafka bus with topics of its own: on the real broker that the environment names, or on the mock."""
    prefix = f"test-{uuid.uuid4().hex}."
    real = real_kafka()
    if real is not None:
        return World(KafkaBus(real, claim_idle_s=IDLE_S, session_s=6, prefix=prefix), quiet_s=8)
    servers = request.getfixturevalue("mock").servers
    return World(KafkaBus(servers, claim_idle_s=IDLE_S, session_s=1.1, prefix=prefix), shared=False)


@pytest.fixture(params=["memory", "redis", "kafka"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Return an empty bus of each kind, whose abandoned messages are free after 0.4 s."""
    if request.param == "memory":
        made = World(MemoryBus(claim_idle_s=IDLE_S))
    elif request.param == "kafka":
        made = _kafka(request)
    else:
        url = request.getfixturevalue("redis_url")
        async with Redis.from_url(url) as client:
            await client.flushall()
        made = World(RedisStreamsBus(url, claim_idle_s=IDLE_S))
    yield made
    await made.bus.close()


@pytest.fixture
def bus(world: World) -> Bus:
    """Return the bus alone."""
    return world.bus


class Reader:
    """One consumer whose deliveries are taken one by one."""

    def __init__(self, bus: Bus, consumer: str, group: str = "worker") -> None:
        self._messages = bus.subscribe("signals", group, consumer)

    async def next(self) -> Message:
        """Return the next delivery."""
        return await asyncio.wait_for(anext(self._messages), WAIT_S)

    async def stop(self) -> None:
        """Die: nothing more is read."""
        await self._messages.aclose()  # type: ignore[attr-defined] # all adapters are generators


async def nothing_comes(reader: Reader, world: World) -> bool:
    """Return whether a reader stays without a message for longer than abandoned ones need; the reader ends then."""
    task = asyncio.ensure_future(reader.next())
    done, _ = await asyncio.wait([task], timeout=world.quiet_s)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return not done


async def test_message_arrives_with_its_key_and_bytes(bus: Bus):
    """What is published is what is delivered, bytes that are not text included."""
    await bus.publish("signals", "g-1", b"\x00\xff{}")
    message = await Reader(bus, "a").next()
    assert (message.key, message.value) == ("g-1", b"\x00\xff{}")


async def test_messages_of_a_key_arrive_in_the_order_of_publishing(bus: Bus):
    """A single consumer sees every message of a key in order."""
    for number in range(100):
        await bus.publish("signals", f"g-{number % 2}", str(number).encode())
    reader = Reader(bus, "a")
    seen: list[Message] = []
    for _ in range(100):
        message = await reader.next()
        await message.ack()
        seen.append(message)
    for key in ("g-0", "g-1"):
        numbers = [int(message.value) for message in seen if message.key == key]
        assert numbers == sorted(numbers)
        assert len(numbers) == 50


async def test_waiting_consumer_gets_what_is_published_later(bus: Bus):
    """A consumer that waits is woken."""
    reader = Reader(bus, "a")
    waiting = asyncio.ensure_future(reader.next())
    await asyncio.sleep(0.05)
    await bus.publish("signals", "g-1", b"late")
    assert (await waiting).value == b"late"


async def test_message_goes_to_one_consumer_of_a_group_and_to_every_group(world: World):
    """Groups see everything; within a group a message is handled once."""
    for number in range(4):
        await world.bus.publish("signals", "g", str(number).encode())
    one = Reader(world.bus, "a")
    for message in [await one.next() for _ in range(4)]:
        await message.ack()
    await one.stop()
    assert await nothing_comes(Reader(world.bus, "b"), world)
    second_group = Reader(world.bus, "a", group="dashboard")
    assert [(await second_group.next()).value for _ in range(4)] == [b"0", b"1", b"2", b"3"]


async def test_two_live_consumers_of_a_group_share_its_messages(world: World):
    """Each message is handled by one of them, also while both read."""
    need("a real Kafka broker", world.shared, f"{REAL}=host:9092 (the mock serves one member of a group at a time)")
    seen: list[bytes] = []

    async def work(name: str) -> None:
        """Read until nothing has come for two seconds."""
        messages = world.bus.subscribe("signals", "worker", name)
        while True:
            try:
                message = await asyncio.wait_for(anext(messages), 2)
            except TimeoutError:
                return
            await message.ack()
            seen.append(message.value)

    workers = [asyncio.ensure_future(work(name)) for name in ("a", "b")]
    for number in range(50):
        await world.bus.publish("signals", f"g-{number % 7}", str(number).encode())
    await asyncio.wait_for(asyncio.gather(*workers), 2 * WAIT_S)
    assert sorted(seen, key=int) == [str(number).encode() for number in range(50)]


async def test_message_of_a_dead_consumer_is_taken_over(world: World):
    """Without an ack a message comes to another consumer of the group."""
    await world.bus.publish("signals", "g", b"work")
    dying = Reader(world.bus, "a")
    await dying.next()
    await dying.stop()
    heir = Reader(world.bus, "b")
    message = await heir.next()
    assert message.value == b"work"
    await message.ack()
    await heir.stop()
    assert await nothing_comes(Reader(world.bus, "c"), world)


async def test_message_without_its_ack_comes_again_to_a_consumer_that_reads_on(bus: Bus):
    """A handler that failed is not forgotten while its consumer lives, and later acks do not skip it."""
    await bus.publish("signals", "g", b"failed")
    await bus.publish("signals", "g", b"fine")
    reader = Reader(bus, "a")
    assert (await reader.next()).value == b"failed"
    await (await reader.next()).ack()
    again = await reader.next()
    assert again.value == b"failed"
    await reader.stop()
    assert (await Reader(bus, "b").next()).value == b"failed"


async def test_restarted_consumer_begins_with_what_it_left(bus: Bus):
    """A consumer that comes back under its name gets its unacknowledged messages before new ones."""
    await bus.publish("signals", "g", b"1")
    await bus.publish("signals", "g", b"2")
    first = Reader(bus, "a")
    await first.next()
    await first.stop()
    await bus.publish("signals", "g", b"3")
    again = Reader(bus, "a")
    seen: list[bytes] = []
    while len(seen) < 3:
        message = await again.next()
        await message.ack()
        if message.value not in seen:
            seen.append(message.value)
    assert seen[0] == b"1"
    assert sorted(seen) == [b"1", b"2", b"3"]


async def test_acknowledged_message_never_comes_again(world: World):
    """An ack is final, also for the consumer itself after a restart."""
    await world.bus.publish("signals", "g", b"done")
    reader = Reader(world.bus, "a")
    await (await reader.next()).ack()
    await reader.stop()
    assert await nothing_comes(Reader(world.bus, "a"), world)


async def test_only_the_newest_messages_are_kept(redis_url: str):
    """A topic without consumers is bounded; Redis trims by whole nodes of about a hundred entries."""
    async with Redis.from_url(redis_url) as client:
        await client.flushall()
        bus = RedisStreamsBus(redis_url, kept=200)
        for number in range(1000):
            await bus.publish("signals", "g", str(number).encode())
        await bus.close()
        assert 200 <= await client.xlen("sre-space:signals") < 400
    memory = MemoryBus(kept=2)
    for number in range(5):
        await memory.publish("signals", "g", str(number).encode())
    reader = Reader(memory, "a")
    assert [(await reader.next()).value for _ in range(2)] == [b"3", b"4"]


async def _closed_memory_bus() -> Bus:
    bus = MemoryBus()
    await bus.close()
    return bus


async def _redis_bus_without_redis() -> Bus:
    return RedisStreamsBus(f"redis://127.0.0.1:{free_port()}/0")


async def _kafka_bus_without_kafka() -> Bus:
    return KafkaBus(f"127.0.0.1:{free_port()}")


@pytest.mark.parametrize("make", [_closed_memory_bus, _redis_bus_without_redis, _kafka_bus_without_kafka])
async def test_unreachable_bus_raises_bus_unavailable(make: Callable[[], Awaitable[Bus]]):
    """Nobody mistakes a bus that is away for one without messages."""
    bus = await make()
    with pytest.raises(BusUnavailableError):
        await bus.check()
    with pytest.raises(BusUnavailableError):
        await bus.publish("signals", "g", b"")
    with pytest.raises(BusUnavailableError):
        await Reader(bus, "a").next()
    await bus.close()


async def test_consumer_learns_that_redis_went_away_and_can_subscribe_again(tmp_path_factory: pytest.TempPathFactory):
    """A server that dies under a waiting consumer raises there; after its return the bus works as before."""
    port = free_port()
    with running_redis(tmp_path_factory.mktemp("first"), port) as url:
        bus = RedisStreamsBus(url)
        waiting = asyncio.ensure_future(Reader(bus, "a").next())
        await asyncio.sleep(0.1)
    with pytest.raises(BusUnavailableError):
        await waiting
    with running_redis(tmp_path_factory.mktemp("second"), port):
        await bus.publish("signals", "g", b"again")
        assert (await Reader(bus, "a").next()).value == b"again"
        await bus.close()


async def test_consumer_learns_that_kafka_went_away_and_can_subscribe_again(mock: MockKafka):
    """As with Redis: a cluster that is away raises in the waiting consumer; what was acknowledged stays so."""
    bus = KafkaBus(mock.servers, session_s=1.1, prefix=f"test-{uuid.uuid4().hex}.")
    await bus.publish("signals", "g", b"before")
    reader = Reader(bus, "a")
    await (await reader.next()).ack()
    waiting = asyncio.ensure_future(reader.next())
    await asyncio.sleep(0.1)
    mock.down()
    with pytest.raises(BusUnavailableError):
        await waiting
    with pytest.raises(BusUnavailableError):
        await bus.publish("signals", "g", b"lost")
    mock.up()
    await bus.publish("signals", "g", b"again")
    seen = [(await Reader(bus, "a").next()).value]
    await bus.close()
    assert seen in ([b"again"], [b"lost"])  # a publish that failed may have arrived all the same


async def test_closing_kafka_wakes_whoever_waits(mock: MockKafka):
    """A subscriber does not wait for ever on a bus that was let go of."""
    bus = KafkaBus(mock.servers, session_s=1.1, prefix=f"test-{uuid.uuid4().hex}.")
    waiting = asyncio.ensure_future(Reader(bus, "a").next())
    await asyncio.sleep(0.5)
    await bus.close()
    with pytest.raises(BusUnavailableError):
        await waiting
    with pytest.raises(BusUnavailableError):
        await bus.check()

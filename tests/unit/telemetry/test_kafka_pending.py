"""Offsets are committed in order, whatever the order of acknowledgements, and never for partitions of others."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from telemetry.bus.kafka_pending import Pending

ONE = TopicPartition("signals", 1)


@dataclass
class Reader:
    """Records commits; refuses them while `refuses`."""

    commits: list = field(default_factory=list)
    refuses: bool = False

    async def commit(self, offsets):
        if self.refuses:
            raise CommitFailedError("rebalance")
        self.commits.append(offsets)


def record(offset, partition=1):
    """Return what aiokafka delivers."""
    return SimpleNamespace(topic="signals", partition=partition, offset=offset, key=b"g", value=b"v")


def pending(reader):
    """Return the count under test over this reader."""
    return Pending(reader, nullcontext)


async def test_offsets_are_committed_up_to_the_first_open_message():
    """Acknowledging a later message first commits nothing; the earlier one then commits both."""
    reader = Reader()
    under_test = pending(reader)
    first, second, third = (under_test.deliver(record(offset)) for offset in (7, 8, 9))
    await second.ack()
    assert reader.commits == []
    await first.ack()
    assert reader.commits == [{ONE: 9}]
    await third.ack()
    assert reader.commits == [{ONE: 9}, {ONE: 10}]


async def test_partitions_are_counted_apart():
    """A message that is open in one partition holds up no other."""
    reader = Reader()
    under_test = pending(reader)
    under_test.deliver(record(7))
    await under_test.deliver(record(3, partition=2)).ack()
    assert reader.commits == [{TopicPartition("signals", 2): 4}]


async def test_late_ack_of_a_partition_that_moved_away_commits_nothing():
    """The other consumer gets the message again; its offset must not jump."""
    reader = Reader()
    under_test = pending(reader)
    message = under_test.deliver(record(7))
    under_test.on_partitions_revoked([ONE])
    await message.ack()
    assert reader.commits == []


async def test_second_ack_of_a_message_does_nothing():
    """Acknowledging is idempotent."""
    reader = Reader()
    message = pending(reader).deliver(record(7))
    await message.ack()
    await message.ack()
    assert reader.commits == [{ONE: 8}]


async def test_commit_refused_in_a_rebalance_is_made_up_by_the_next():
    """The ack does not fail: at worst the message comes again."""
    reader = Reader(refuses=True)
    under_test = pending(reader)
    await under_test.deliver(record(7)).ack()
    reader.refuses = False
    await under_test.deliver(record(8)).ack()
    assert reader.commits == [{ONE: 9}]


async def test_only_what_is_open_for_too_long_is_overdue():
    """It comes again as the same message, and an ack of either delivery ends it."""
    reader = Reader()
    under_test = pending(reader)
    first = under_test.deliver(record(7))
    done = under_test.deliver(record(8))
    await done.ack()
    assert list(under_test.overdue(0)) == []
    again = list(under_test.overdue(float("inf")))
    assert [(message.id, message.key, message.value) for message in again] == [("1-7", "g", b"v")]
    await first.ack()
    assert reader.commits == [{ONE: 9}]
    assert list(under_test.overdue(float("inf"))) == []

"""A Kafka for tests: librdkafka's mock cluster in a process of its own, or a real broker that the environment names.

The mock speaks Kafka's protocol over TCP, but a group of it serves one member at a time.
"""

import contextlib
import ctypes
import importlib.util
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

REAL = "SRE_SPACE_TEST_KAFKA"
"""Names a real broker (`host:port`) to be used instead of the mock."""

INSTALL = "pip install confluent-kafka"
_PRODUCER = 0
_BROKER = 1


def library() -> Path | None:
    """Return librdkafka as the wheel of confluent-kafka brings it, or None."""
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    found = [*package.parent.glob("confluent_kafka.libs/librdkafka*"), *package.glob(".dylibs/librdkafka*")]
    return found[0] if found else None


class MockKafka:
    """A running mock cluster of one broker."""

    def __init__(self, process: "subprocess.Popen[str]", servers: str) -> None:
        self._process = process
        self.servers = servers

    def down(self) -> None:
        """Close the broker's port and connections."""
        self._say("down")

    def up(self) -> None:
        """Open the broker's port again."""
        self._say("up")

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == word


@contextmanager
def mock_kafka() -> Generator[MockKafka, None, None]:
    """Run a mock cluster for the length of the block."""
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        servers = process.stdout.readline().strip()
        assert servers, "the mock of Kafka did not start"
        yield MockKafka(process, servers)
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.communicate("", timeout=10)
        process.kill()
        process.wait()


def real_kafka() -> str | None:
    """Return the address of the real broker, if one is named."""
    return os.environ.get(REAL) or None


def _serve() -> None:
    """Print the cluster's address and obey the words on standard input until it ends."""
    found = library()
    assert found is not None, INSTALL
    rdkafka = ctypes.CDLL(str(found))
    for name, result, arguments in (
        ("rd_kafka_conf_new", ctypes.c_void_p, []),
        ("rd_kafka_new", ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
        ("rd_kafka_mock_cluster_new", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        ("rd_kafka_mock_cluster_bootstraps", ctypes.c_char_p, [ctypes.c_void_p]),
        ("rd_kafka_mock_group_initial_rebalance_delay_ms", None, [ctypes.c_void_p, ctypes.c_int32]),
        ("rd_kafka_mock_broker_set_down", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
        ("rd_kafka_mock_broker_set_up", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
    ):
        function = getattr(rdkafka, name)
        function.restype, function.argtypes = result, arguments
    reason = ctypes.create_string_buffer(512)
    client = rdkafka.rd_kafka_new(_PRODUCER, rdkafka.rd_kafka_conf_new(), reason, len(reason))
    assert client, reason.value
    cluster = rdkafka.rd_kafka_mock_cluster_new(client, 1)
    rdkafka.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0)
    sys.stdout.write(f"{rdkafka.rd_kafka_mock_cluster_bootstraps(cluster).decode()}\n")
    sys.stdout.flush()
    words = {"down": rdkafka.rd_kafka_mock_broker_set_down, "up": rdkafka.rd_kafka_mock_broker_set_up}
    for line in sys.stdin:
        words[line.strip()](cluster, _BROKER)
        sys.stdout.write(line)
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()

"""Messages on the bus: what Scout sends is what the worker reads, and nothing else stops it."""

import pytest
import zstandard

from agents.testing.scenarios import pool_signal
from bot.topics import UnreadableSignalError, arrived, guid_of, packed
from telemetry.model import Signal

SIGNAL = pool_signal()


def test_a_signal_survives_the_bus_in_a_fraction_of_its_size():
    """Packed as Scout sends it, and as plain JSON."""
    plain = SIGNAL.model_dump_json().encode()
    for message in (packed(SIGNAL), plain):
        found = arrived(message)
        assert found.guid == guid_of(SIGNAL)
        assert Signal.model_validate_json(found.payload) == SIGNAL
    assert len(packed(SIGNAL)) < len(plain) / 2


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "it is no signal"),
        (b"{}", "it is no signal"),
        (b"\xff\x00", "it is no signal"),
        (packed(SIGNAL)[:-9], "is a damaged"),
        (b"\x28\xb5\x2f\xfd", "is a damaged"),
        (zstandard.compress(b"{}"), "it is no signal"),
        (zstandard.compress(bytes(9 * 1024 * 1024)), "over 8 MiB"),
        (zstandard.ZstdCompressor(write_content_size=False).compress(bytes(9 * 1024 * 1024)), "is a damaged"),
    ],
)
def test_what_is_no_signal_says_why(message, reason):
    """Others may write to the bus, too: a bomb is not unpacked."""
    with pytest.raises(UnreadableSignalError, match=reason):
        arrived(message)

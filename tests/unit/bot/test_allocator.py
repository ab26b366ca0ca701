"""How the process handles memory: what is asked of Python and of the C library."""

import gc

import pytest

from bot import allocator


class Libc:
    """A C library with what glibc has on top."""

    def __init__(self):
        self.called = []

    def mallopt(self, option, value):
        """Note the option."""
        self.called.append(("mallopt", option, value))

    def malloc_trim(self, pad):
        """Note the trim."""
        self.called.append(("malloc_trim", pad))


@pytest.fixture
def libc(monkeypatch):
    """The C library; the collector of this process is as before afterwards."""
    found, before = Libc(), gc.get_threshold()
    monkeypatch.setattr("ctypes.CDLL", lambda _: found)
    yield found
    gc.set_threshold(*before)
    gc.unfreeze()


def test_scout_keeps_what_a_request_freed_and_searches_for_garbage_rarely(libc):
    """16 MB stay for the next request; what the imports made is not searched again."""
    allocator.suit_telemetry()
    assert libc.called == [("mallopt", -1, 16 * 1024 * 1024), ("mallopt", -3, 4 * 1024 * 1024)]
    assert gc.get_threshold() == (5_000, 5, 500)
    assert gc.get_freeze_count() > 0


def test_freed_pages_go_back_to_the_system_and_there_is_no_more_to_give(libc):
    """The guard must know that waiting longer brings nothing."""
    assert allocator.give_back() is False
    assert libc.called == [("malloc_trim", 0)]


def test_a_c_library_without_these_calls_is_left_alone(monkeypatch):
    """Musl has neither."""
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    allocator._keep_for_the_next()
    assert allocator.give_back() is False

"""A program on a leash: the kernel is asked first, then this process becomes the program."""

import ctypes
import os
import signal

import pytest

from bot import leash


class Kernel:
    """A C library of which `prctl` is known."""

    def __init__(self, answer=0):
        self.answer, self.asked = answer, []

    def prctl(self, *arguments):
        """Note what is asked for."""
        self.asked.append(arguments)
        return self.answer


@pytest.fixture
def became(monkeypatch):
    """The programs that this process has become."""
    found = []
    monkeypatch.setattr("os.execvp", lambda program, command: found.append((program, command)))
    return found


@pytest.fixture
def kernel(monkeypatch):
    """The kernel."""
    found = Kernel()
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: found)
    return found


def start(monkeypatch, parent):
    """Run the leash for a program that a parent started."""
    monkeypatch.setattr("sys.argv", ["leash.py", str(parent), "redis-server", "--port", "0"])
    leash.main()


def test_the_kernel_kills_the_program_when_its_parent_dies(monkeypatch, kernel, became):
    """PR_SET_PDEATHSIG is 1; it survives exec."""
    start(monkeypatch, os.getppid())
    assert kernel.asked == [(1, signal.SIGKILL, 0, 0, 0)]
    assert became == [("redis-server", ["redis-server", "--port", "0"])]


def test_a_parent_that_has_ended_meanwhile_ends_the_program_before_it_begins(monkeypatch, kernel, became):
    """The kernel tells nobody of what was before it was asked."""
    with pytest.raises(SystemExit) as caught:
        start(monkeypatch, os.getppid() + 1)
    assert (caught.value.code, became) == (1, [])


def test_a_kernel_that_refuses_is_an_error_and_nothing_runs_without_a_leash(monkeypatch, kernel, became):
    """The number of the error is the kernel's."""
    kernel.answer = -1
    monkeypatch.setattr(ctypes, "get_errno", lambda: 22)
    with pytest.raises(OSError, match=r"prctl\(PR_SET_PDEATHSIG\) failed") as caught:
        start(monkeypatch, os.getppid())
    assert (caught.value.errno, became) == (22, [])


def test_other_systems_than_linux_run_the_program_without_it(monkeypatch, kernel, became):
    """There is no such call there."""
    monkeypatch.setattr("sys.platform", "darwin")
    start(monkeypatch, os.getppid() + 1)
    assert kernel.asked == []
    assert len(became) == 1

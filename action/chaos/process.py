"""The process of an experiment: bounded in time, ended gently first, and never left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import structlog

INVALID = 2
"""Exit code of an experiment that Chaos Toolkit does not take."""
ROLL_BACK_ALWAYS = {"runtime": {"rollbacks": {"strategy": "always"}}}
"""Settings of Chaos Toolkit: whatever happens to an experiment, its faults are taken back."""
GRACE_S = 60.0
"""How long an experiment that is told to end may take for its rollbacks."""

log = structlog.get_logger()


class Told(BaseException):
    """This process was told to end (SIGINT or SIGTERM): the job was cancelled."""


def run_child(path: Path, limit_s: float) -> int:
    """Run an experiment for at most `limit_s` seconds and return its exit code.

    When the time is up, or the job is cancelled, Chaos Toolkit is told to stop and to roll back (SIGUSR1); a process
    that does not end then is killed, and its fault ends when its time to live is over.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _tell)
    command = [sys.executable, "-P", "-m", "action.chaos.child", str(path)]
    process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own module
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        log.warning("experiment_out_of_time", limit_s=limit_s)
        return _end(process)
    except Told:
        log.warning("experiment_cancelled")
        return _end(process)


def _tell(_number: int, _frame: object) -> None:
    raise Told


def _end(process: subprocess.Popen[bytes]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    process.send_signal(signal.SIGUSR1)
    try:
        return process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()

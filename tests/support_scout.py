"""The real Scout process: its ports, its log, and how it ends."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from tests.requirements import ROOT

_START_S = 30.0


@dataclass(frozen=True)
class ScoutProcess:
    """A process, where it listens, and the file that it logs to."""

    process: "subprocess.Popen[bytes]"
    url: str
    target: str
    log: Path


def start_scout(folder: Path, redis_url: str, **settings: str) -> "subprocess.Popen[bytes]":
    """Start Scout on free ports, unless `settings` (environment variables) say otherwise; it logs to `scout.log`."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": redis_url,
        "SRE_SPACE_SCOUT_PORT": "0",
        "SRE_SPACE_SCOUT_GRPC_PORT": "0",
        "SRE_SPACE_LOG_JSON": "true",
        **settings,
    }
    with (folder / "scout.log").open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", "bot.scout_process"], cwd=folder, env=environment, stderr=log)


@contextlib.contextmanager
def running_scout(folder: Path, redis_url: str, **settings: str) -> Generator[ScoutProcess]:
    """Yield a Scout that listens; it is stopped by SIGTERM."""
    process, log = start_scout(folder, redis_url, **settings), folder / "scout.log"
    try:
        deadline = time.monotonic() + _START_S
        while '"scout_started"' not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "Scout did not start"
            time.sleep(0.05)
        ports = dict(re.findall(r'"(port|grpc_port)": (\d+)', log.read_text()))
        grpc_port = ports.get("grpc_port", "0")
        yield ScoutProcess(process, f"http://127.0.0.1:{ports['port']}", f"127.0.0.1:{grpc_port}", log)
    finally:
        process.terminate()
        process.wait(20)

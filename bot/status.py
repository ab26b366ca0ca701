"""What `sre-space status` shows: the processes that `sre-space up` runs, and the memory that each takes."""

import json
from pathlib import Path

import psutil
from rich.table import Table

from bot import run_files
from bot.run_files import RunFile
from telemetry.model import Frozen

_MB = 1024 * 1024


class ProcessStatus(Frozen):
    """One process now. `rss_mb` is its resident memory, None when it does not run."""

    name: str
    state: str
    pid: int | None
    url: str | None
    rss_mb: float | None
    restarts: int
    log: str | None


def processes(state_dir: Path) -> tuple[ProcessStatus, ...]:
    """Return the processes that the supervisor of this state folder runs, or ran when it was killed."""
    return tuple(_status(run) for run in run_files.read(state_dir))


def _status(run: RunFile) -> ProcessStatus:
    rss_mb = _rss_mb(run)
    gone = run.pid is not None and rss_mb is None
    return ProcessStatus(
        name=run.name,
        state="gone" if gone else run.state.value,
        pid=None if gone else run.pid,
        url=run.url,
        rss_mb=rss_mb,
        restarts=run.restarts,
        log=run.log,
    )


def _rss_mb(run: RunFile) -> float | None:
    if run.pid is None:
        return None
    try:
        process = psutil.Process(run.pid)
        if run.create_time is not None and abs(process.create_time() - run.create_time) > 1:
            return None
        return round(process.memory_info().rss / _MB, 1)
    except psutil.Error:
        return None


def table(found: tuple[ProcessStatus, ...]) -> Table:
    """Return the processes as a table for the terminal."""
    shown = Table("process", "state", "pid", "memory", "restarts", "address", "log", title="SRE-Space")
    for one in found:
        shown.add_row(
            one.name,
            one.state,
            "" if one.pid is None else str(one.pid),
            "" if one.rss_mb is None else f"{one.rss_mb:.0f} MB",
            str(one.restarts),
            one.url or "",
            one.log or "",
        )
    return shown


def as_json(found: tuple[ProcessStatus, ...]) -> str:
    """Return the processes as a JSON array."""
    return json.dumps([one.model_dump(mode="json") for one in found], indent=2)

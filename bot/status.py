"""What `sre-space status` shows: the processes that `sre-space up` runs, and the memory that each takes."""

import json
from pathlib import Path

import psutil
from rich.table import Table

from bot import run_files
from bot.run_files import RunFile
from telemetry.model import Frozen

_MB = 1024 * 1024
GUARDED = frozenset({"scout", "worker"})


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


def table(found: tuple[ProcessStatus, ...], limit_mb: int) -> Table:
    """Return the processes as a table for the terminal; those above the Memory Guard's limit are marked."""
    shown = Table("process", "state", "pid", "memory", "restarts", "address", "log", title="SRE-Space")
    for one in found:
        shown.add_row(
            one.name,
            one.state,
            "" if one.pid is None else str(one.pid),
            "" if one.rss_mb is None else _memory(one, limit_mb),
            str(one.restarts),
            one.url or "",
            one.log or "",
        )
    return shown


def _memory(one: ProcessStatus, limit_mb: int) -> str:
    shown = f"{one.rss_mb:.0f} MB"
    guarded = one.name in GUARDED and one.rss_mb is not None and one.rss_mb > limit_mb
    return f"{shown}, over the limit of {limit_mb} MB" if guarded else shown


def as_json(found: tuple[ProcessStatus, ...]) -> str:
    """Return the processes as a JSON array."""
    return json.dumps([one.model_dump(mode="json") for one in found], indent=2)

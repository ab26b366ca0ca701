"""What `sre-space status` shows: the processes that `sre-space up` runs, and the memory that each takes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import psutil
from rich.table import Table

from bot import run_files
from bot.run_files import RunFile
from telemetry.model import Frozen, ScoutStatus

_MB = 1024 * 1024
GUARDED = frozenset({"scout", "worker"})


class ScoutHealth(Frozen):
    """What Scout says of itself; counters count from its start.

    `lag_s` is how far event time is behind the clock, None before the first telemetry. `series` are those with
    requests within the retention, `baselines` those of which is known what is normal.
    """

    spans_per_s: float
    spans_total: int
    points_total: int
    logs_total: int
    dropped_total: dict[str, int]
    lag_s: float | None
    series: int
    baselines: int
    suspects: int

    @classmethod
    def of(cls, status: ScoutStatus, now: datetime | None = None) -> Self:
        """Return the health at `now` by Scout's own status."""
        lag = None if status.watermark is None else (now or datetime.now(UTC)) - status.watermark
        return cls(
            spans_per_s=status.spans_per_s,
            spans_total=status.spans_total,
            points_total=status.points_total,
            logs_total=status.logs_total,
            dropped_total=status.dropped_total,
            lag_s=None if lag is None else round(lag.total_seconds(), 1),
            series=status.series,
            baselines=status.baselines,
            suspects=len(status.suspects),
        )


class ProcessStatus(Frozen):
    """One process now. `rss_mb` is its resident memory, None when it does not run."""

    name: str
    state: str
    pid: int | None
    url: str | None
    rss_mb: float | None
    restarts: int
    log: str | None
    scout: ScoutHealth | None = None


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


def health_table(health: ScoutHealth) -> Table:
    """Return Scout's own health as a table for the terminal; drops by reason, most first."""
    drops = sorted(health.dropped_total.items(), key=lambda drop: (-drop[1], drop[0]))
    rows = {
        "spans": f"{health.spans_per_s:,.1f} a second, {health.spans_total:,} in all",
        "metric points": f"{health.points_total:,}",
        "log records": f"{health.logs_total:,}",
        "dropped": ", ".join(f"{count:,} {reason}" for reason, count in drops) or "nothing",
        "event time": "no telemetry yet" if health.lag_s is None else f"{health.lag_s:,.0f} s behind",
        "series": f"{health.series:,} with requests, {health.baselines:,} with a baseline",
        "suspected": f"{health.suspects:,}",
    }
    shown = Table("telemetry", "", title="Scout")
    for name, text in rows.items():
        shown.add_row(name, text)
    return shown


def as_json(found: tuple[ProcessStatus, ...]) -> str:
    """Return the processes as a JSON array."""
    return json.dumps([one.model_dump(mode="json") for one in found], indent=2)

"""Files in which the supervisor says what runs, for `sre-space status`."""

import contextlib
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, ValidationError

from telemetry.model import Frozen


class State(StrEnum):
    """Where a process stands."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting to start again"
    STOPPED = "stopped"


class RunFile(Frozen):
    """One process. `pid` and `create_time` (seconds since 1970) together name it: numbers are used again."""

    name: str
    state: State
    pid: int | None
    create_time: float | None
    url: str | None
    log: str | None
    restarts: int
    since: AwareDatetime


def folder(state_dir: Path) -> Path:
    """Return where the files are."""
    return state_dir / "run"


def write(state_dir: Path, run: RunFile) -> None:
    """Write a process's file, at once for every reader."""
    path = folder(state_dir) / f"{run.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".json.new")
    fresh.write_text(run.model_dump_json())
    fresh.replace(path)


def remove(state_dir: Path, name: str) -> None:
    """Remove a process's file."""
    (folder(state_dir) / f"{name}.json").unlink(missing_ok=True)


def read(state_dir: Path) -> tuple[RunFile, ...]:
    """Return all files, in the order in which the processes were started; files of other versions are left out."""
    found: list[RunFile] = []
    for path in sorted(folder(state_dir).glob("*.json")):
        with contextlib.suppress(ValidationError, FileNotFoundError):
            found.append(RunFile.model_validate_json(path.read_text()))
    return tuple(sorted(found, key=lambda run: run.create_time or 0))

"""Chaos Toolkit's journal: what the experiment did, step by step, and whether the steady state held."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from telemetry.model import Frozen

START = "start-fault"
FOLLOW = "follow-incident"


class _Slim(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Named(_Slim):
    """An activity of the experiment."""

    name: str


class Run(_Slim):
    """One activity that was carried out."""

    activity: Named
    status: str = "aborted"
    output: Any = None
    exception: tuple[str, ...] | None = None
    tolerance_met: bool | None = None

    @property
    def ok(self) -> bool:
        """Return whether it was carried out and, for a probe with one, met its tolerance."""
        return self.status == "succeeded" and self.tolerance_met is not False

    @property
    def why(self) -> str:
        """Return what went wrong, in one line."""
        lines = [line for line in (self.exception or ()) if line.strip()]
        return " ".join(lines[-1].split()) if lines else f"the answer was {self.output}"


class SteadyState(_Slim):
    """One look at the steady state."""

    steady_state_met: bool = False
    probes: tuple[Run, ...] = ()


class SteadyStates(_Slim):
    """The steady state before the fault, and after the fix."""

    before: SteadyState | None = None
    after: SteadyState | None = None


class Journal(_Slim):
    """The journal, as far as it is used."""

    status: Literal["completed", "failed", "aborted", "interrupted"]
    deviated: bool = False
    steady_states: SteadyStates = SteadyStates()
    run: tuple[Run, ...] = ()
    rollbacks: tuple[Run, ...] = ()

    def activity(self, name: str) -> Run | None:
        """Return an activity of the method."""
        return next((run for run in self.run if run.activity.name == name), None)


class Read(Frozen):
    """A journal, or the reason why there is none."""

    journal: Journal | None = None
    problem: str = ""


def write_journal(path: Path, journal: Mapping[str, Any]) -> None:
    """Write a journal; what is no JSON in it is written as text."""
    path.write_text(json.dumps(journal, indent=2, default=str), encoding="utf-8")


def read_journal(path: Path) -> Read:
    """Return the journal of an experiment."""
    try:
        return Read(journal=Journal.model_validate_json(path.read_bytes()))
    except FileNotFoundError:
        return Read(problem="the experiment ended without a journal")
    except ValidationError as error:
        return Read(problem=f"the journal cannot be read: {error.error_count()} problems")

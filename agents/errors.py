"""Errors above telemetry.

SreSpaceError                    (telemetry.errors)
├── TransientError               worth another try later
│   ├── ForgeUnavailableError    GitHub did not answer, or asked to wait
│   └── ScoutUnavailableError    Scout's query API did not answer
├── ForgeRefusedError            GitHub understood and said no
├── ConfigError                  .github/sre-space.yml is missing or wrong
├── RemedyError                  a remedy cannot be turned into an edit
├── IllegalMoveError             the table of stages lists no such way
└── StaleIncidentError           somebody else stored a newer version
"""

from telemetry.errors import SreSpaceError, TransientError

__all__ = [
    "ConfigError",
    "ForgeRefusedError",
    "ForgeUnavailableError",
    "IllegalMoveError",
    "RemedyError",
    "ScoutUnavailableError",
    "SreSpaceError",
    "StaleIncidentError",
    "TransientError",
]


class ForgeUnavailableError(TransientError):
    """GitHub did not answer, answered 5xx, or a rate limit asks to wait `retry_after_s`."""


class ScoutUnavailableError(TransientError):
    """Scout's query API did not answer."""


class ForgeRefusedError(SreSpaceError):
    """GitHub refused a call: `status` and GitHub's own `reason`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"GitHub answered {status}: {reason}")
        self.status = status
        self.reason = reason


class ConfigError(SreSpaceError):
    """The repository's configuration cannot be used; `problems` says where and what to write instead."""

    def __init__(self, problems: tuple[str, ...], *, missing: bool = False) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.missing = missing


class RemedyError(SreSpaceError):
    """A remedy cannot be turned into an edit; the message says why, for people."""


class StaleIncidentError(SreSpaceError):
    """The stored incident is newer than the one at hand: load it again."""

    def __init__(self, incident_id: str, version: int) -> None:
        super().__init__(f"incident {incident_id} is no longer at version {version}")
        self.incident_id = incident_id
        self.version = version


class IllegalMoveError(SreSpaceError):
    """A defect of ours: an incident was to go from one stage to another between which there is no way."""

    def __init__(self, incident_id: str, before: str, after: str) -> None:
        super().__init__(f"incident {incident_id} cannot go from {before} to {after}")
        self.incident_id = incident_id
        self.before = before
        self.after = after

"""Errors of the managed side of the sandbox.

SreSpaceError (telemetry.errors)
└── SandboxError
    ├── CommandError       a program, mostly git, ended with an error
    ├── DeployError        a revision could not be brought up
    └── ScenarioError      a fault could not be put in place
"""

from telemetry.errors import SreSpaceError


class SandboxError(SreSpaceError):
    """The sandbox could not do what it was asked to do."""


class CommandError(SandboxError):
    """The program `command` ended with `exit_code`; `output` is the end of what it said."""

    def __init__(self, command: str, exit_code: int, output: str) -> None:
        super().__init__(f"{command} ended with {exit_code}: {output}")
        self.command = command
        self.exit_code = exit_code
        self.output = output


class DeployError(SandboxError):
    """`service` did not become ready at `revision`, for `reason`."""

    def __init__(self, service: str, revision: str, reason: str) -> None:
        super().__init__(f"{service} is not ready at {revision}: {reason}")
        self.service = service
        self.revision = revision
        self.reason = reason


class ScenarioError(SandboxError):
    """`scenario` could not be injected or healed, for `reason`."""

    def __init__(self, scenario: str, reason: str) -> None:
        super().__init__(f"{scenario}: {reason}")
        self.scenario = scenario
        self.reason = reason

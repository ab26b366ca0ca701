"""Errors of the Action.

SreSpaceError (telemetry.errors)
└── ActionError
    ├── InputError          an input of the Action cannot be used
    ├── ExperimentError     an experiment file cannot be used
    ├── InjectorError       the fault injector did not do as it was told
    ├── EventError          the workflow's event cannot be handled
    └── NoTelemetryError    there is nothing to reason from
"""

from telemetry.errors import SreSpaceError


class ActionError(SreSpaceError):
    """Root of what stops the Action; its message is for the workflow's author."""


class InputError(ActionError):
    """The input `name` cannot be used."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"the input `{name}` {problem}")
        self.name = name


class ExperimentError(ActionError):
    """The experiment file at `path` cannot be used."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"the experiment {path} {problem}")
        self.path = path


class InjectorError(ActionError):
    """The fault injector refused, or did not answer."""


class EventError(ActionError):
    """The event of this workflow cannot be handled."""


class NoTelemetryError(ActionError):
    """This workflow gives no telemetry to look at."""

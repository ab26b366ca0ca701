"""Errors of SRE-Space.

SreSpaceError
├── TransientError           worth another try later
│   └── BusUnavailableError  the event bus does not answer
├── DecodeError              bytes are not what they claim to be
└── TelemetryFileError       a file of recorded telemetry cannot be read
"""


class SreSpaceError(Exception):
    """Root of every error that SRE-Space raises on purpose."""


class TransientError(SreSpaceError):
    """Something outside did not answer as it should; the same call may work later.

    `retry_after_s` is what the other side asked for, where it did.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BusUnavailableError(TransientError):
    """The event bus cannot be reached."""


class DecodeError(SreSpaceError):
    """Bytes from outside could not be decoded; the message says what was expected."""


class TelemetryFileError(SreSpaceError):
    """The telemetry file at `path` is not what the Collector's file exporter writes; the message says where and why."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"the telemetry file {path} {problem}")
        self.path = path

"""Rows of telemetry as the profile reads them, whatever they came in."""

from typing import NamedTuple

ENTRY = "^"
"""Mark of the step at which a span begins: the mark and its operation."""
END = "$"
"""The step at which a span ends."""


class SpanRow(NamedTuple):
    """A span; `parent` is empty for a root. Times are Unix nanoseconds."""

    trace: bytes
    id: bytes
    parent: bytes
    service: str
    operation: str
    start_ns: int
    end_ns: int
    error: bool = False


class LogRow(NamedTuple):
    """A log record: the site in the code that wrote it (see `sites`) and the OTLP severity number."""

    time_ns: int
    site: str
    severity: int


class PointRow(NamedTuple):
    """A point of a gauge, or of what is read as one; `attributes` are those of the point, sorted."""

    service: str
    pod: str
    metric: str
    unit: str
    time_ns: int
    value: float
    attributes: tuple[tuple[str, str], ...] = ()

"""Numbers of evidence in words, for claims."""

from agents.markdown import plain
from telemetry.model import RedSummary

MAX_TEXT = 160


def percent(ratio: float) -> str:
    """Return a ratio as a percentage: two digits below 10 %, otherwise whole."""
    value = ratio * 100
    return f"{value:.2g} %" if 0 < value < 10 else f"{value:.0f} %"  # noqa: PLR2004 - two digits, as the docstring says


def failed(summary: RedSummary) -> str:
    """Return how many requests failed, such as `36 of 120 requests failed (30 %)`."""
    if summary.requests == 0:
        return "no requests were seen"
    return f"{summary.errors} of {summary.requests} requests failed ({percent(summary.errors / summary.requests)})"


def error_ratio(summary: RedSummary) -> str:
    """Return the error ratio as a percentage, or `no traffic`."""
    return percent(summary.errors / summary.requests) if summary.requests else "no traffic"


def ms(value: float | None) -> str:
    """Return milliseconds, in seconds from 10 s on."""
    if value is None:
        return "unknown"
    return f"{value / 1000:.1f} s" if value >= 10_000 else f"{value:.0f} ms"  # noqa: PLR2004 - as above


def number(value: float) -> str:
    """Return a number without useless decimals."""
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def short(text: str) -> str:
    """Return text on one line without invisible characters, capped: it comes from telemetry."""
    return plain(text, MAX_TEXT)

"""Topics of the event bus."""

from telemetry.model import Signal

SIGNALS = "signals"
"""Signals of Scout, keyed by group."""


def guid_of(signal: Signal) -> str:
    """Return the guid under which a signal is a delivery: the same however often the bus brings it."""
    return f"{signal.tenant}:{signal.group_id}:{signal.sequence}"

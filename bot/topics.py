"""Topics of the event bus."""

SIGNALS = "signals"
"""Signals of Scout, keyed by group."""

"""Evidence: what goes with an incident, as one bounded bundle whose items have ids."""

from telemetry.evidence.bundle import build

__all__ = ["build"]

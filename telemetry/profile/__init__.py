"""Profiles: how the services of a stretch of time do their work, compared to normal stretches, as evidence."""

from telemetry.profile.bundle import Windows, profiled
from telemetry.profile.window import Profile

__all__ = ["Profile", "Windows", "profiled"]

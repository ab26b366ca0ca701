"""Detection in event time: pure functions and state machines over what `telemetry.state` remembers."""

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding
from telemetry.detect.lifecycle import Closing
from telemetry.detect.watch import Watch

__all__ = ["Closing", "DetectConfig", "Finding", "Watch"]

"""Recorded telemetry: what the Collector's file exporter writes, read message by message in bounded memory."""

from telemetry.files.order import merged
from telemetry.files.reader import TelemetryFile
from telemetry.files.recorded import Recorded, SignalKind

__all__ = ["Recorded", "SignalKind", "TelemetryFile", "merged"]

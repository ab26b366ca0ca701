"""For tests: OTLP messages made by hand, and a simulated chain of services that is fed to a real Scout."""

from telemetry.testing.cells import CellMaker
from telemetry.testing.chain import CALM, Chain, Fault
from telemetry.testing.fan_out import DATABASE, FanOut
from telemetry.testing.otlp import Call, Where, gauges, traces

__all__ = ["CALM", "DATABASE", "Call", "CellMaker", "Chain", "FanOut", "Fault", "Where", "gauges", "traces"]

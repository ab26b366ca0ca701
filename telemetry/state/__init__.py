"""What Scout remembers of telemetry: windows, service graph, exemplars, signatures, gauges and versions."""

from telemetry.sketch import Sketch
from telemetry.state.limits import Limits
from telemetry.state.state import TelemetryState
from telemetry.state.views import (
    TICK_S,
    Cell,
    Edge,
    ExemplarTrace,
    GaugePoint,
    GaugeSeries,
    PoolPoint,
    PoolSeries,
    SignatureHits,
    SignatureStats,
    Taken,
)

__all__ = [
    "TICK_S",
    "Cell",
    "Edge",
    "ExemplarTrace",
    "GaugePoint",
    "GaugeSeries",
    "Limits",
    "PoolPoint",
    "PoolSeries",
    "SignatureHits",
    "SignatureStats",
    "Sketch",
    "Taken",
    "TelemetryState",
]

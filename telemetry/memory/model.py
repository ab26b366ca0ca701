"""What survives a restart: what is normal (large, changes slowly), and which incidents there are (small)."""

import msgspec

from telemetry.detect.memory import AnomalyMemory, BurnMemory, SeriesMemory, TrafficMemory
from telemetry.group import Group
from telemetry.model import Signal
from telemetry.state.signatures import SignatureSeen
from telemetry.state.versions import VersionMemory


class NormalPlace(msgspec.Struct):
    """What is normal in one tenant's environment."""

    tenant: str
    environment: str
    series: list[SeriesMemory]
    objectives: list[BurnMemory] = []
    traffic: list[TrafficMemory] = []


class Normal(msgspec.Struct):
    """Baselines and usual traffic of every series, what objectives have spent, and the signatures that are not new."""

    places: list[NormalPlace] = []
    signatures: list[SignatureSeen] = []


class IncidentPlace(msgspec.Struct):
    """Anomalies and groups of one tenant's environment; `signals` are the latest of its open groups."""

    tenant: str
    environment: str
    anomalies: AnomalyMemory
    groups: list[Group]
    signals: list[Signal]


class Incidents(msgspec.Struct):
    """What Scout holds open. Event time had come to `next_s`; `untold` signals have not reached the bus."""

    places: list[IncidentPlace] = []
    versions: list[VersionMemory] = []
    next_s: int | None = None
    untold: list[Signal] = []

"""Profiles compared: the time and flow evidence of a fault against normal windows."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from telemetry.model import FlowEvidence, TimeEvidence
from telemetry.profile.flows import flows
from telemetry.profile.times import own, ways
from telemetry.profile.window import Profile


@dataclass(frozen=True, slots=True)
class Compared:
    """Evidence as drafts without a number, each sort by how far it moved; empty without a window to compare with."""

    ways: list[TimeEvidence]
    flows: list[FlowEvidence]
    own: list[TimeEvidence]


def compared(normal: Sequence[Profile], fault: Profile, services: Container[str] | None = None) -> Compared:
    """Return how a fault differs from all normal windows together and from each of them, in some services or all."""
    before = Profile.merged(normal, services)
    return Compared(ways(normal, before, fault), flows(normal, before, fault), own(normal, before, fault))

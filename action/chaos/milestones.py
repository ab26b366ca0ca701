"""What an experiment saw of an incident, and why it stopped looking."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from telemetry.model import Frozen


class Stopped(StrEnum):
    """Why the wait for SRE-Space ended."""

    REACHED = "reached"
    NOT_DETECTED = "not-detected"
    TIMED_OUT = "timed-out"
    ESCALATED = "escalated"
    CLOSED_UNRESOLVED = "closed-unresolved"
    BLAST_RADIUS = "blast-radius"


class Milestones(Frozen):
    """Moments as GitHub dates them, to the second; None has not been seen. `armed_at` is before anything was done."""

    armed_at: AwareDatetime | None = None
    onset: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    incident: int | None = None
    incident_url: str | None = None
    services: tuple[str, ...] = ()
    detected_at: AwareDatetime | None = None
    verdict: str | None = None
    cause_service: str | None = None
    cause_kind: str | None = None
    analysed_at: AwareDatetime | None = None
    pull_request: int | None = None
    pull_request_url: str | None = None
    proposed_at: AwareDatetime | None = None
    merged_at: AwareDatetime | None = None
    recovered_at: AwareDatetime | None = None
    other_incidents: tuple[int, ...] = ()
    stopped: Stopped | None = None

    def after_onset_s(self, moment: datetime | None) -> float | None:
        """Return how long after the onset that moment was, in seconds; never less than 0, as GitHub cuts seconds."""
        if self.onset is None or moment is None:
            return None
        return max((moment - self.onset).total_seconds(), 0.0)

    @property
    def ttd_s(self) -> float | None:
        """Return the time to detect: onset to the incident's issue."""
        return self.after_onset_s(self.detected_at)

    @property
    def ttr_s(self) -> float | None:
        """Return the time to recover: onset to the close of the issue, which follows the verified recovery."""
        return self.after_onset_s(self.recovered_at)

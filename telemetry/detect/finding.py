"""What one detector says about one series at one moment, in event time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from telemetry.detect.lifecycle import Lifecycle
from telemetry.model import Anomaly, AnomalyState, Detector, SeriesKey, Severity, utc

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """An anomaly with what grouping needs; times are Unix seconds. `bad_now`: the newest window is bad."""

    id: str
    key: SeriesKey
    detector: Detector
    state: AnomalyState
    onset_s: int
    confirmed_s: int | None
    closed_s: int | None
    last_bad_s: int
    bad_now: bool
    severity: Severity
    reason: str

    @property
    def is_open(self) -> bool:
        """True while confirmed and not closed."""
        return self.state is AnomalyState.CONFIRMED

    def anomaly(self) -> Anomaly:
        """Return the anomaly as it is told to the rest."""
        return Anomaly(
            id=self.id,
            key=self.key,
            detector=self.detector,
            state=self.state,
            onset=at(self.onset_s),
            confirmed=None if self.confirmed_s is None else at(self.confirmed_s),
            closed=None if self.closed_s is None else at(self.closed_s),
            severity=self.severity,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True)
class Words:
    """The part of a finding that a detector puts in words; `subject` is what was watched beside the series."""

    detector: Detector
    severity: Severity
    reason: str
    subject: str = ""


def finding(key: SeriesKey, life: Lifecycle, words: Words, *, bad_now: bool) -> Finding:
    """Return the finding of a detector whose life has a state. Its id depends on series, subject and onset."""
    state = life.state or AnomalyState.SUSPECT
    flaps = f" Flapping: open again for the {life.reopened + 1}. time." if life.reopened else ""
    named = (key.tenant, key.environment, key.service, words.subject or key.operation, words.detector)
    return Finding(
        id=digest("a", (*named, str(life.onset_s))),
        key=key,
        detector=words.detector,
        state=state,
        onset_s=life.onset_s,
        confirmed_s=life.confirmed_s,
        closed_s=life.closed_s,
        last_bad_s=max(life.last_bad_s, life.onset_s),
        bad_now=bad_now,
        severity=words.severity,
        reason=words.reason + flaps,
    )


def digest(prefix: str, parts: Sequence[str]) -> str:
    """Return a short id that is the same for the same parts."""
    joined = "\0".join(parts).encode()
    return f"{prefix}-{sha256(joined).hexdigest()[:16]}"


def at(unix_s: int) -> datetime:
    """Return Unix seconds as an aware UTC datetime."""
    return utc(unix_s * _NS)

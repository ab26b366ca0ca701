"""The life of an anomaly: suspect, confirmed, closed, and reopened while it flaps."""

from dataclasses import dataclass

import msgspec

from telemetry.detect.config import DetectConfig
from telemetry.model import AnomalyState


@dataclass(frozen=True, slots=True)
class Closing:
    """When an anomaly may close: after how long without a bad window, and whether a deploy ended the episode.

    When another revision was deployed since, a recurrence is not flapping: the code is not the same. In
    `maintenance` nothing is confirmed and nothing is learned; what is open already goes on and may close.
    """

    after_s: int
    deployed: bool = False
    maintenance: bool = False


class LifeMemory(msgspec.Struct, array_like=True, frozen=True):
    """A `Lifecycle` that is confirmed or closed; times in Unix seconds."""

    state: AnomalyState
    onset_s: int
    confirmed_s: int | None
    closed_s: int | None
    last_bad_s: int
    reopened: int
    healthy_s: int
    final: bool


class Lifecycle:
    """State machine of one detector on one series; all times are event time in Unix seconds."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self.state: AnomalyState | None = None
        self.onset_s = 0
        self.confirmed_s: int | None = None
        self.closed_s: int | None = None
        self.last_bad_s = 0
        self.reopened = 0
        self._healthy_s = 0
        self._final = False

    @property
    def is_open(self) -> bool:
        """True while confirmed and not closed."""
        return self.state is AnomalyState.CONFIRMED

    @property
    def is_over(self) -> bool:
        """True when closed for good: a recurrence would be another anomaly."""
        return self.state is AnomalyState.CLOSED and self._final

    def suspect(self, onset_s: int) -> None:
        """Note a suspicion that began at `onset_s`; a closed anomaly that may still flap stays closed."""
        if self.state is None:
            self.state, self.onset_s = AnomalyState.SUSPECT, onset_s

    def acquit(self) -> None:
        """Drop a suspicion."""
        if self.state is AnomalyState.SUSPECT:
            self.state = None

    def confirm(self, onset_s: int, now_s: int) -> None:
        """Confirm; within 30 min of its closing the same anomaly opens again, with its first onset."""
        if self.is_open:
            return
        flaps = self.state is AnomalyState.CLOSED and not self.expired(now_s)
        if flaps:
            self.reopened += 1
        else:
            self.onset_s, self.confirmed_s, self.reopened = onset_s, now_s, 0
        self.state, self.closed_s, self._final = AnomalyState.CONFIRMED, None, False
        self.last_bad_s, self._healthy_s = now_s, 0

    def expired(self, now_s: int) -> bool:
        """Return whether a closed anomaly is too old, or over for good, to be reopened."""
        closed_s = self.closed_s
        return closed_s is not None and (self._final or now_s - closed_s > self._config.reopen_within_s)

    def observe(self, now_s: int, closing: Closing, *, bad: bool | None) -> None:
        """Take in the verdict on the newest window of an open anomaly; None is no data and heals nothing."""
        if not self.is_open:
            return
        if bad:
            self.last_bad_s, self._healthy_s = now_s, 0
        elif bad is False:
            self._healthy_s += self._config.tick_s
            if self._healthy_s >= closing.after_s:
                self.state, self.closed_s, self._final = AnomalyState.CLOSED, now_s, closing.deployed

    def forget(self, now_s: int) -> None:
        """Return to nothing once a closed anomaly can no longer be reopened."""
        if self.state is AnomalyState.CLOSED and self.expired(now_s):
            self.state, self.confirmed_s, self.closed_s, self.reopened = None, None, None, 0

    def dump(self) -> LifeMemory | None:
        """Return what must survive a restart: an anomaly that is open or may flap, not a suspicion."""
        if self.state is None or self.state is AnomalyState.SUSPECT:
            return None
        return LifeMemory(
            self.state,
            self.onset_s,
            self.confirmed_s,
            self.closed_s,
            self.last_bad_s,
            self.reopened,
            self._healthy_s,
            self._final,
        )

    def load(self, memory: LifeMemory) -> None:
        """Take over what `dump` returned."""
        self.state, self.onset_s = memory.state, memory.onset_s
        self.confirmed_s, self.closed_s = memory.confirmed_s, memory.closed_s
        self.last_bad_s, self.reopened = memory.last_bad_s, memory.reopened
        self._healthy_s, self._final = memory.healthy_s, memory.final

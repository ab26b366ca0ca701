"""D3: how fast an error budget burns, over two windows at once.

Burn rate = bad ratio / (1 - objective): 1 spends exactly the budget of the SLO's period. A row fires while its
factor is exceeded over the long window (it matters) and over the short one (it still goes on). Google, "The Site
Reliability Workbook" (2018), ch. 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from array import array
from dataclasses import dataclass

from telemetry.detect.config import BurnRow, DetectConfig
from telemetry.detect.finding import Finding, Words, finding
from telemetry.detect.lifecycle import Closing, Lifecycle
from telemetry.detect.memory import BurnMemory, WatchAnomaly
from telemetry.model import Detector, SeriesKey

_MINUTE_S = 60


class BurnCounter:
    """Requests and bad ones by minute for the longest window: two rings of cumulative counts, 70 KB for three days.

    All of its state is plain data: `first`, `last` (minutes since 1970) and the rings, indexed by minute.
    """

    def __init__(self, minutes: int) -> None:
        self._size = minutes + 2
        self.requests = array("q", bytes(8 * self._size))
        self.bad = array("q", bytes(8 * self._size))
        self.first: int | None = None
        self.last = 0

    def add(self, start_s: int, requests: int, bad: int) -> None:
        """Count a tick; ticks come in order, and minutes left out count as empty."""
        minute = start_s // _MINUTE_S
        if self.first is None:
            self.first = self.last = minute
        total, total_bad = self.requests[self.last % self._size], self.bad[self.last % self._size]
        for skipped in range(max(self.last, minute - self._size) + 1, minute + 1):
            self.requests[skipped % self._size], self.bad[skipped % self._size] = total, total_bad
        self.last = max(self.last, minute)
        self.requests[self.last % self._size] = total + requests
        self.bad[self.last % self._size] = total_bad + bad

    def dump(self, service: str, objective: str) -> BurnMemory:
        """Return what was counted."""
        return BurnMemory(service, objective, self.first, self.last, self.requests.tobytes(), self.bad.tobytes())

    def load(self, memory: BurnMemory) -> None:
        """Take over what `dump` returned; rings of another length were made for other rows and are not used.

        Raises ValueError when it is damaged.
        """
        if len(memory.requests) != 8 * self._size or len(memory.bad) != 8 * self._size:
            return
        self.requests, self.bad = array("q", memory.requests), array("q", memory.bad)
        self.first, self.last = memory.first, memory.last

    def over(self, minutes: int) -> tuple[int, int, float]:
        """Return requests, bad ones and the share of the window that was watched, for the newest `minutes`.

        The running minute comes on top, so that a fault counts from its first tick.
        """
        if self.first is None:
            return 0, 0, 0.0
        before = self.last - minutes - 1
        now, then = self.last % self._size, before % self._size
        covered = min(1.0, (self.last - self.first + 1) / minutes)
        return self.requests[now] - self.requests[then], self.bad[now] - self.bad[then], covered


@dataclass(frozen=True, slots=True)
class Burn:
    """The burn rate over one window; None with too few requests to tell. Bad requests may be too few to fire."""

    minutes: int
    requests: int
    bad: int
    rate: float | None

    def exceeds(self, row: BurnRow, config: DetectConfig) -> bool:
        """Return whether the budget burns at the pace of a row."""
        return self.rate is not None and self.rate >= row.factor and self.bad >= config.burn_bad_min


class BurnMonitor:
    """Follows one objective, of a service or one of its operations."""

    def __init__(self, subject: str, objective: float, config: DetectConfig) -> None:
        self._subject = subject
        self._objective = objective
        self._config = config
        self.life = Lifecycle(config)
        self.counter = BurnCounter(max(row.long_min for row in config.burn_rows))
        self._row: BurnRow | None = None
        self._since: dict[int, int] = {}
        self._words: Words | None = None
        self._bad_now = False

    def step(self, start_s: int, requests: int, bad: int, closing: Closing) -> None:
        """Advance by the tick that starts at `start_s`. The anomaly closes when the short window is below its row."""
        if closing.maintenance:
            requests = bad = 0  # planned work spends no budget
        self.counter.add(start_s, requests, bad)
        now_s = start_s + self._config.tick_s
        self.life.forget(now_s)
        fired = next((row for row in self._config.burn_rows if self._fires(row, start_s)), None)
        self._bad_now = fired is not None
        if fired is not None and not closing.maintenance:
            self._confirm(fired, now_s)
        elif fired is not None:
            self.life.suspect(self._since[fired.short_min])
        else:
            self.life.acquit()
        if self.life.is_open and self._row is not None:
            short = self._burn(self._row.short_min)
            bad_still = None if short.rate is None else fired is not None or short.exceeds(self._row, self._config)
            self.life.observe(now_s, Closing(self._config.tick_s, deployed=closing.deployed), bad=bad_still)

    def _fires(self, row: BurnRow, start_s: int) -> bool:
        if not self._burn(row.short_min).exceeds(row, self._config):
            self._since.pop(row.short_min, None)
            return False
        self._since.setdefault(row.short_min, start_s)
        return self._burn(row.long_min).exceeds(row, self._config)

    def _burn(self, minutes: int) -> Burn:
        """Return the burn rate over a window. Time before the first tick counts as good.

        So minutes of history do not speak for three days: the rate is the share of the window's budget spent.
        """
        requests, bad, covered = self.counter.over(minutes)
        enough = requests >= self._config.burn_requests_min
        rate = bad / requests / (1 - self._objective) * covered if enough else None
        return Burn(minutes, requests, bad, rate)

    def _confirm(self, row: BurnRow, now_s: int) -> None:
        if self.life.is_open and self._row is not None and row.factor <= self._row.factor:
            return
        self._row = row
        self.life.confirm(self._since[row.short_min], now_s)
        long, short = self._burn(row.long_min), self._burn(row.short_min)
        reason = (
            f"{self._subject} {100 * self._objective:g} %: the error budget burns {long.rate or 0:.1f} times too fast "
            f"over {_span(row.long_min)} ({long.bad} of {long.requests} requests bad) and {short.rate or 0:.1f} times "
            f"over {_span(row.short_min)}; {row.factor:g} is the limit."
        )
        self._words = Words(Detector.BURN_RATE, row.severity, reason, self._subject)

    def dump(self, key: SeriesKey) -> WatchAnomaly | None:
        """Return the anomaly of the objective, told under `key`, None when it has none."""
        life = self.life.dump()
        if life is None:
            return None
        factor = 0.0 if self._row is None else self._row.factor
        return WatchAnomaly(key.service, self._subject, key.operation, life, self._words, factor)

    def load(self, memory: WatchAnomaly) -> None:
        """Take over what `dump` returned, unless the row that fired is gone."""
        self._row = next((row for row in self._config.burn_rows if row.factor == memory.factor), None)
        if self._row is not None:
            self.life.load(memory.life)
            self._words = memory.words

    def finding(self, key: SeriesKey) -> Finding | None:
        """Return the finding on the objective, told under the series `key` of its service."""
        if self.life.state is None:
            return None
        lowest = self._config.burn_rows[-1].severity
        words = self._words or Words(Detector.BURN_RATE, lowest, "The error budget burns too fast.", self._subject)
        return finding(key, self.life, words, bad_now=self._bad_now)


def _span(minutes: int) -> str:
    """Return a length of time for people: `5 min`, `6 h` or `3 d`."""
    if minutes % (24 * 60) == 0:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"

"""D6: an error signature that was never seen before and now keeps coming. It supports other findings."""

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding, Words, finding
from telemetry.detect.lifecycle import Closing, Lifecycle
from telemetry.detect.memory import SignatureMemory
from telemetry.model import AnomalyState, Detector, SeriesKey, Severity
from telemetry.state import SignatureStats


class NoveltyMonitor:
    """Follows one error signature that is new; it was first seen at `born_s`."""

    def __init__(self, born_s: int, config: DetectConfig) -> None:
        self.born_s = born_s
        self._config = config
        self.life = Lifecycle(config)
        self._words = Words(Detector.NEW_SIGNATURE, Severity.LOW, "")
        self._old = False

    def step(self, now_s: int, stats: SignatureStats | None, closing: Closing) -> None:
        """Confirm at ≥ 3 hits (each in a trace of its own) within 60 s; `stats` is None without a hit.

        Once its anomaly is over, or when it came in maintenance, the signature is no longer new.
        """
        config = self._config
        was_closed = self.life.state is AnomalyState.CLOSED
        self.life.forget(now_s)
        self._old = self._old or (was_closed and self.life.state is None)
        if self._old:
            return
        if closing.maintenance and not self.life.is_open:
            self._old = stats is not None
            return
        if self.life.is_open:
            self.life.observe(now_s, closing, bad=_hits(stats, now_s - config.window_min_s, now_s) > 0)
            return
        hits = _hits(stats, now_s - config.signature_window_s, now_s)
        if stats and hits >= config.signature_hits and len(stats.trace_ids) >= config.signature_traces:
            named = f"New error {stats.error_type}".rstrip()
            reason = f"{named}: {hits} hits in {config.signature_window_s} s, none before."
            self._words = Words(Detector.NEW_SIGNATURE, Severity.LOW, reason, stats.hash)
            self.life.confirm(stats.first_seen_s, now_s)

    def finding(self, key: SeriesKey, now_s: int) -> Finding | None:
        """Return the finding on the signature, told under the series `key` of its service."""
        if self.life.state is None:
            return None
        bad_now = now_s - self.life.last_bad_s <= self._config.tick_s
        return finding(key, self.life, self._words, bad_now=bad_now)

    def dump(self, name: str, key: SeriesKey) -> SignatureMemory:
        """Return what is known of the signature `name`, told under `key`."""
        life = self.life.dump()
        return SignatureMemory(name, key.service, key.operation, self.born_s, life, self._words, self._old)

    def load(self, memory: SignatureMemory) -> None:
        """Take over what `dump` returned."""
        self._words, self._old = memory.words, memory.old
        if memory.life is not None:
            self.life.load(memory.life)


def _hits(stats: SignatureStats | None, start_s: int, end_s: int) -> int:
    return sum(hit.n for hit in stats.hits if start_s <= hit.at_s < end_s) if stats else 0

"""D6: an error signature that was never seen before and now keeps coming. It supports other findings."""

from telemetry.detect.config import DetectConfig
from telemetry.detect.finding import Finding, Words, finding
from telemetry.detect.lifecycle import Closing, Lifecycle
from telemetry.model import Detector, SeriesKey, Severity
from telemetry.state import SignatureStats


class NoveltyMonitor:
    """Follows one error signature that was new when it was first seen."""

    def __init__(self, config: DetectConfig) -> None:
        self._config = config
        self.life = Lifecycle(config)
        self._words = Words(Detector.NEW_SIGNATURE, Severity.LOW, "")

    def step(self, now_s: int, stats: SignatureStats | None, closing: Closing) -> None:
        """Confirm at ≥ 3 hits (each in a trace of its own) within 60 s; `stats` is None without a hit."""
        config = self._config
        self.life.forget(now_s)
        since_s = now_s - config.signature_window_s
        hits = sum(hit.n for hit in stats.hits if since_s <= hit.at_s < now_s) if stats else 0
        if self.life.is_open:
            self.life.observe(now_s, closing, bad=hits > 0)
        elif stats and hits >= config.signature_hits and len(stats.trace_ids) >= config.signature_traces:
            reason = f"New error {stats.error_type}: {hits} hits in {config.signature_window_s} s, none before."
            self._words = Words(Detector.NEW_SIGNATURE, Severity.LOW, reason, stats.hash)
            self.life.confirm(stats.first_seen_s, now_s)

    def finding(self, key: SeriesKey, now_s: int) -> Finding | None:
        """Return the finding on the signature, told under the series `key` of its service."""
        if self.life.state is None:
            return None
        bad_now = now_s - self.life.last_bad_s <= self._config.tick_s
        return finding(key, self.life, self._words, bad_now=bad_now)

"""D6: new error signatures."""

from telemetry.detect import Closing, DetectConfig
from telemetry.detect.novelty import NoveltyMonitor
from telemetry.model import AnomalyState, SeriesKey
from telemetry.state import SignatureHits, SignatureStats

CONFIG = DetectConfig()
KEY = SeriesKey(service="quote", operation="GET /quote")
CLOSING = Closing(CONFIG.close_after_s)


def _stats(hits: list[int], traces: int) -> SignatureStats:
    return SignatureStats(
        hash="0123",
        service="quote",
        operation="GET /quote",
        error_type="KeyError",
        message="",
        frames=(),
        first_seen_s=hits[0],
        last_seen_s=hits[-1],
        hits=tuple(SignatureHits(at_s, 1) for at_s in hits),
        trace_ids=tuple(str(n) for n in range(traces)),
    )


def _state(hits: list[int], traces: int, now_s: int) -> AnomalyState | None:
    monitor = NoveltyMonitor(100, CONFIG)
    monitor.step(now_s, _stats(hits, traces), CLOSING)
    return monitor.life.state


def test_three_hits_in_a_minute_over_two_traces_confirm():
    """The onset is when it was first seen."""
    monitor = NoveltyMonitor(100, CONFIG)
    monitor.step(150, _stats([100, 120, 140], 2), CLOSING)
    found = monitor.finding(KEY, 150)
    assert found is not None
    assert (found.state, found.onset_s) == (AnomalyState.CONFIRMED, 100)


def test_fewer_hits_or_a_single_trace_do_not():
    """Two hits, three in two minutes, or three in one trace are not enough."""
    assert _state([100, 120], 2, 150) is None
    assert _state([100, 160, 220], 3, 225) is None
    assert _state([100, 120, 140], 1, 150) is None


def test_signature_is_new_once():
    """After its anomaly is over for good, more of the same confirms nothing."""
    monitor = NoveltyMonitor(100, CONFIG)
    monitor.step(150, _stats([100, 120, 140], 2), CLOSING)
    now_s = 150
    while monitor.life.state is not None:
        now_s += CONFIG.tick_s
        monitor.step(now_s, None, Closing(CONFIG.close_after_deploy_s, deployed=True))
    monitor.step(now_s + 5, _stats([now_s, now_s + 1, now_s + 2], 5), CLOSING)
    assert monitor.life.state is None

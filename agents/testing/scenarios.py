"""The three faults of the sandbox (gateway → quote → pricing → tax) as Scout would report them, and a healthy hour."""

from agents.testing.builders import (
    BAD_REVISION,
    GOOD_REVISION,
    anomaly,
    bundle,
    edge,
    error_signature,
    metric,
    red,
    signal,
    span,
    summary,
    trace,
    version,
)
from telemetry.model import Detector, Evidence, EvidenceBundle, Signal, TraceEvidence

QUOTE = "GET /quote/{sku}"
PRICE = "GET /price/{sku}"
POOL_TIMEOUT = "QueuePool limit of size <n> overflow <n> reached, connection timed out, timeout <n>"
POOL_FRAMES = (
    ("shop/database.py", "transaction"),
    ("services/quote/store.py", "find_product"),
    ("services/quote/app.py", "quote"),
)
DISCOUNT_FRAMES = (
    ("services/quote/discounts.py", "bulk_discount_cents"),
    ("services/quote/discounts.py", "total_cents"),
    ("services/quote/app.py", "quote"),
)
POOL = {"db.client.connection.pool.name": "quote"}
CLIENT_FRAMES = (("shop/http.py", "_send"), ("shop/http.py", "get"))


def _relayed(requests: int, errors: int, p95_ms: float) -> list[Evidence]:
    """What the gateway shows when quote fails: the same errors, as status codes, without a stack."""
    return [
        red("gateway", QUOTE, summary(3600, 0, 262), summary(requests, errors, p95_ms + 6)),
        edge("gateway", "quote", summary(3600, 0, 258), summary(requests, errors, p95_ms + 3)),
        error_signature("gateway", QUOTE, "500", "", count=errors),
    ]


def _failing_trace(note: str, duration_ms: float) -> TraceEvidence:
    return trace(
        "error",
        span(1, None, "gateway", QUOTE, "server", duration_ms + 6, 3, error=""),
        span(2, 1, "gateway", QUOTE, "client", duration_ms + 3, 3, error="500"),
        span(3, 2, "quote", QUOTE, "server", duration_ms, duration_ms, error=note),
    )


def pool_exhaustion(*, size: int = 2, pending: float = 6, rps: int = 60) -> EvidenceBundle:
    """Traffic outgrows the pool of quote: timeouts of the pool, 500s, and a saturated pool; nothing was deployed."""
    requests = rps * 40
    errors = int(requests * 0.45)
    return bundle(
        red("quote", QUOTE, summary(3600, 0, 256), summary(requests, errors, 620)),
        *_relayed(requests, errors, 620),
        red("pricing", PRICE, summary(3600, 0, 213), summary(requests - errors // 2, 0, 221)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(requests - errors // 2, 0, 224)),
        edge("quote", "sqlite", summary(7200, 0, 12), summary(requests, 0, 13)),
        edge("pricing", "tax", summary(10800, 0, 210), summary(requests * 3, 0, 212)),
        error_signature("quote", QUOTE, "sqlalchemy.exc.TimeoutError", POOL_TIMEOUT, POOL_FRAMES, count=errors),
        metric(
            "quote",
            "db.client.connection.count",
            0.4,
            float(size),
            limit=float(size),
            attributes=POOL | {"db.client.connection.state": "used"},
        ),
        metric("quote", "db.client.connection.pending_requests", 0, pending, attributes=POOL),
        _failing_trace(f"sqlalchemy.exc.TimeoutError: {POOL_TIMEOUT}", 255),
    )


def bad_deploy(good: str | None = GOOD_REVISION, bad: str | None = BAD_REVISION) -> EvidenceBundle:
    """A deploy of quote breaks bulk discounts: an exception that was never seen before, for 40 % of requests."""
    return bundle(
        red("quote", QUOTE, summary(3600, 0, 256), summary(480, 190, 255)),
        *_relayed(480, 190, 255),
        red("pricing", PRICE, summary(3600, 0, 213), summary(480, 0, 214)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(480, 0, 216)),
        edge("pricing", "tax", summary(10800, 0, 210), summary(1440, 0, 209)),
        error_signature("quote", QUOTE, "TypeError", "unsupported operand type(s)", DISCOUNT_FRAMES, count=190),
        version("quote", good, bad),
        _failing_trace("TypeError: unsupported operand type(s)", 248),
    )


def latency_spike(good: str | None = GOOD_REVISION, bad: str | None = BAD_REVISION) -> EvidenceBundle:
    """A deploy of pricing makes it slow without an error of its own; quote and the gateway answer 504."""
    return bundle(
        red("gateway", QUOTE, summary(3600, 0, 262), summary(480, 360, 548)),
        red("quote", QUOTE, summary(3600, 0, 256), summary(480, 360, 542)),
        red("pricing", PRICE, summary(3600, 0, 213), summary(470, 0, 815, 610)),
        edge("gateway", "quote", summary(3600, 0, 258), summary(480, 360, 544)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(480, 360, 502)),
        edge("quote", "sqlite", summary(7200, 0, 12), summary(600, 0, 12)),
        edge("pricing", "tax", summary(10800, 0, 210), summary(1410, 0, 211)),
        error_signature("quote", PRICE, "httpx.ReadTimeout", "", CLIENT_FRAMES, count=360),
        error_signature("quote", QUOTE, "504", "", count=360),
        error_signature("gateway", QUOTE, "504", "", count=360),
        version("pricing", good, bad),
        _timed_out_trace(),
        _slow_trace(),
    )


def _timed_out_trace() -> TraceEvidence:
    return trace(
        "error",
        span(1, None, "gateway", QUOTE, "server", 536, 2, error=""),
        span(2, 1, "gateway", QUOTE, "client", 533, 3, error="504"),
        span(3, 2, "quote", QUOTE, "server", 530, 18, error=""),
        span(4, 3, "quote", PRICE, "client", 501, 0, error="httpx.ReadTimeout"),
        span(5, 4, "pricing", PRICE, "server", 812, 4),
        span(6, 5, "pricing", "GET /rates/{region}/{jurisdiction}", "client", 204, 204),
        span(7, 5, "pricing", "GET /rates/{region}/{jurisdiction}", "client", 203, 203),
    )


def _slow_trace() -> TraceEvidence:
    return trace(
        "slow",
        span(1, None, "gateway", QUOTE, "server", 462, 2),
        span(2, 1, "gateway", QUOTE, "client", 460, 3),
        span(3, 2, "quote", QUOTE, "server", 457, 18),
        span(4, 3, "quote", PRICE, "client", 411, 3),
        span(5, 4, "pricing", PRICE, "server", 408, 4),
        span(6, 5, "pricing", "GET /rates/{region}/{jurisdiction}", "client", 204, 204),
    )


def healthy() -> EvidenceBundle:
    """Nothing is wrong: a few stray errors before and after, a pool in use, everybody as fast as ever."""
    return bundle(
        red("gateway", QUOTE, summary(3600, 4, 262), summary(480, 1, 271)),
        red("quote", QUOTE, summary(3600, 4, 256), summary(480, 1, 262)),
        red("pricing", PRICE, summary(3600, 0, 213), summary(480, 0, 216)),
        edge("gateway", "quote", summary(3600, 4, 258), summary(480, 1, 264)),
        edge("quote", "pricing", summary(3600, 0, 215), summary(480, 0, 219)),
        error_signature("quote", QUOTE, "ConnectionResetError", "peer", count=1, count_before=4),
        metric(
            "quote",
            "db.client.connection.count",
            0.4,
            0.6,
            limit=2,
            attributes=POOL | {"db.client.connection.state": "used"},
        ),
    )


def pool_signal(evidence: EvidenceBundle | None = None) -> Signal:
    """Return pool exhaustion as Scout signals it: errors of quote first, then saturation, then the gateway."""
    return signal(
        evidence or pool_exhaustion(),
        anomaly("quote", QUOTE, Detector.ERRORS, "45 % of requests failed, 0 % before"),
        anomaly("quote", QUOTE, Detector.SATURATION, "the pool is used to 100 %"),
        anomaly("gateway", QUOTE, Detector.ERRORS, "45 % of requests failed, 0 % before"),
    )


def deploy_signal(evidence: EvidenceBundle | None = None) -> Signal:
    """Return the bad deploy as Scout signals it."""
    return signal(
        evidence or bad_deploy(),
        anomaly("quote", QUOTE, Detector.ERRORS, "40 % of requests failed, 0 % before"),
        anomaly("quote", QUOTE, Detector.NEW_SIGNATURE, "TypeError was never seen before"),
        anomaly("gateway", QUOTE, Detector.ERRORS, "40 % of requests failed, 0 % before"),
    )


def latency_signal(evidence: EvidenceBundle | None = None) -> Signal:
    """Return the latency spike as Scout signals it; its root is quote, where the errors are leaves."""
    return signal(
        evidence or latency_spike(),
        anomaly("quote", QUOTE, Detector.ERRORS, "75 % of requests failed, 0 % before"),
        anomaly("pricing", PRICE, Detector.LATENCY, "p95 is 815 ms, 213 ms before"),
        anomaly("gateway", QUOTE, Detector.ERRORS, "75 % of requests failed, 0 % before"),
    )

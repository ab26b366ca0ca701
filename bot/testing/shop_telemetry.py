"""What telemetry shows of the shop in a test: deploys, and windows of traffic."""

from datetime import datetime, timedelta

from agents.testing.telemetry import Answer, FakeTelemetry
from telemetry.model import Health, RevisionSeen, SeriesKey, SliReport, SliWindow

WINDOW = timedelta(minutes=1)
P95_MS = 257.0


def deployed(telemetry: FakeTelemetry, service: str, revision: str, at: datetime) -> None:
    """Show that `service` runs `revision` from now on; what it ran before is no longer seen."""
    seen = RevisionSeen(service=service, version=None, revision=revision, first_seen=at, last_seen=at)
    telemetry.revisions[service] = (*telemetry.revisions.get(service, ()), seen)


def reports_of(start: datetime, *, windows: int, requests: int, failing: float) -> Answer:
    """Return the answer for every series of a service: windows from `start` on with this share of failures."""

    def answer(key: SeriesKey, since: datetime, revision: str | None) -> SliReport:
        made = (window(start + number * WINDOW, requests=requests, failing=failing) for number in range(windows))
        return SliReport(
            key=key,
            revision=revision,
            baseline_error_ratio=0.001,
            windows=tuple(one for one in made if one.start >= since),
        )

    return answer


def window(start: datetime, *, requests: int, failing: float) -> SliWindow:
    """Return one window: without requests it holds no data, and from 2% failures on it is unhealthy (detector D1)."""
    errors = round(requests * failing)
    broken = requests > 0 and errors / requests >= 0.02  # noqa: PLR2004 - see the docstring
    health = Health.NO_DATA if not requests else Health.UNHEALTHY if broken else Health.HEALTHY
    latency = {"p50_ms": 200.0, "p95_ms": P95_MS, "p99_ms": 280.0} if requests else {}
    return SliWindow(requests=requests, errors=errors, start=start, end=start + WINDOW, health=health, **latency)

"""Instruments: every metric that SRE-Space counts as it works. No label takes text from outside."""

from collections.abc import Sequence

from opentelemetry.metrics import Meter, NoOpMeter

from agents.incident import Incident

SCOPE = "sre-space"
WEBHOOK_EVENTS = frozenset({"issues", "issue_comment", "pull_request", "pull_request_review", "ping", "signal"})
LIMIT_RESOURCES = frozenset({"core", "search", "graphql", "code_search", "integration_manifest"})
OTHER = "other"

_SHORT_S: Sequence[float] = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LONG_S: Sequence[float] = (5, 10, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600)


class Meters:
    """The instruments of one process; without a meter they do nothing."""

    def __init__(self, meter: Meter | None = None) -> None:
        meter = meter or NoOpMeter(SCOPE)
        self._webhooks = meter.create_counter("sre_space.webhooks", "1", "Webhooks that came in")
        self._deliveries = meter.create_counter("sre_space.deliveries", "1", "Deliveries that a worker took up")
        self._steps = _seconds(meter, "sre_space.step.duration", "Steps of agents", _SHORT_S)
        self._writes = _seconds(meter, "sre_space.write.duration", "Writes to GitHub", _SHORT_S)
        self._calls = _seconds(meter, "sre_space.github.call.duration", "HTTP requests to GitHub", _SHORT_S)
        self._remaining = meter.create_gauge(
            "sre_space.github.rate_limit.remaining", "1", "Requests that GitHub still takes, as it said last"
        )
        self._ended = meter.create_counter("sre_space.incidents.ended", "1", "Incidents that ended")
        self._ttd = _seconds(meter, "sre_space.incident.ttd", "From onset to detection", _LONG_S)
        self._tta = _seconds(meter, "sre_space.incident.tta", "From detection to the first owner", _LONG_S)
        self._ttm = _seconds(meter, "sre_space.incident.ttm", "From onset until the impact stopped", _LONG_S)
        self._ttr = _seconds(meter, "sre_space.incident.ttr", "From onset to verified recovery", _LONG_S)
        self._guard = meter.create_counter(
            "sre_space.memory_guard.changes", "1", "How often the Memory Guard closed and opened"
        )
        self._pauses = meter.create_counter("sre_space.agent.pauses", "1", "Steps put off because memory was short")

    def webhook(self, event: str, outcome: str) -> None:
        """Count a webhook: stored, duplicate, ignored, pong, or refused."""
        self._webhooks.add(1, {"event": _event(event), "outcome": outcome})

    def delivery(self, event: str, outcome: str) -> None:
        """Count a try to handle a delivery: handled, busy, postponed, or failed."""
        self._deliveries.add(1, {"event": _event(event), "outcome": outcome})

    def step(self, agent: str, outcome: str, seconds: float) -> None:
        """Note a step of an agent: moved, waits, postponed, or failed."""
        self._steps.record(seconds, {"agent": agent, "outcome": outcome})

    def write(self, kind: str, outcome: str, seconds: float) -> None:
        """Note a write to GitHub: done, refused, postponed, or failed."""
        self._writes.record(seconds, {"kind": kind, "outcome": outcome})

    def call(self, method: str, status: int | None, seconds: float) -> None:
        """Note an HTTP request to GitHub; `status` is None when there was no answer."""
        self._calls.record(seconds, {"method": method, "status": "none" if status is None else str(status)})

    def rate_limit(self, resource: str, remaining: int) -> None:
        """Note what is left of a rate limit."""
        self._remaining.set(remaining, {"resource": resource if resource in LIMIT_RESOURCES else OTHER})

    def ended(self, incident: Incident) -> None:
        """Count an incident that ended, with the times that are known of it."""
        clock, outcome = incident.clock, {"outcome": incident.stage.value}
        self._ended.add(1, outcome)
        self._ttd.record((clock.detected - clock.onset).total_seconds(), outcome)
        if clock.owned is not None:
            self._tta.record((clock.owned - clock.detected).total_seconds(), outcome)
        if clock.mitigated is not None:
            self._ttm.record((clock.mitigated - clock.onset).total_seconds(), outcome)
        if clock.resolved is not None:
            self._ttr.record((clock.resolved - clock.onset).total_seconds(), outcome)

    def guard(self, *, over: bool) -> None:
        """Count a change of the Memory Guard."""
        self._guard.add(1, {"state": "over" if over else "under"})

    def paused(self, agent: str) -> None:
        """Count a step that was put off."""
        self._pauses.add(1, {"agent": agent})


def _seconds(meter: Meter, name: str, description: str, bounds: Sequence[float]):  # noqa: ANN202 - a Histogram
    return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=list(bounds))


def _event(name: str) -> str:
    return name if name in WEBHOOK_EVENTS else OTHER

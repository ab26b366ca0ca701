"""What lanes, steps, deliveries and calls tell: one object that turns it into spans and metrics."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field

from opentelemetry.trace import Span, SpanKind

from agents.errors import TransientError
from agents.incident import TERMINAL, Agent, Incident
from agents.ports import Step
from agents.writes import AnyWrite, Result
from bot.events import Routed
from bot.observability.ids import ids_of
from bot.observability.meters import Meters
from bot.observability.routes import route_of
from bot.observability.traces import Traces

Handle = Callable[[Incident | None, Routed], Awaitable[Incident | None]]
Deliver = Callable[[Incident, AnyWrite], Awaitable[Result]]

_INCIDENT = "sre_space.incident.id"
_STAGE = "sre_space.stage"


@dataclass(slots=True)
class Answered:
    """What came back from a call."""

    status: int | None = None


@dataclass(slots=True)
class Receipt:
    """A webhook as far as it is known."""

    event: str = ""
    guid: str = ""
    outcome: str = "refused"


@dataclass(frozen=True, slots=True)
class Observer:
    """Off unless it is given traces or meters that are on."""

    traces: Traces = field(default_factory=Traces)
    meters: Meters = field(default_factory=Meters)

    def about(self, incident_id: str | None) -> contextlib.AbstractContextManager[None]:
        """Make what happens in the block part of the incident's trace."""
        return contextlib.nullcontext() if incident_id is None else self.traces.within(ids_of("incident", incident_id))

    def about_delivery(self, guid: str) -> contextlib.AbstractContextManager[None]:
        """Give log lines of the block the ids of the delivery's trace."""
        return self.traces.within(ids_of("delivery", guid))

    @contextlib.contextmanager
    def webhook(self) -> Generator[Receipt]:
        """Count a webhook by what the block notes of it; one that is stored for the first time gets a span."""
        receipt, started_ns = Receipt(), time.time_ns()
        try:
            yield receipt
        finally:
            self.meters.webhook(receipt.event, receipt.outcome)
            if receipt.outcome == "stored":
                attributes = {"sre_space.delivery.id": receipt.guid, "sre_space.delivery.event": receipt.event}
                name = f"webhook {receipt.event}"
                with self.traces.arrival(receipt.guid, name, SpanKind.SERVER, attributes, started_ns):
                    pass

    def publishing(self, guid: str) -> contextlib.AbstractContextManager[Span]:
        """Make the span of a signal's way to the bus."""
        return self.traces.arrival(guid, "signal", SpanKind.PRODUCER, {"sre_space.delivery.id": guid})

    def handling(self, handle: Handle) -> Handle:
        """Return `handle` with a span for each delivery."""

        async def observed(before: Incident | None, routed: Routed) -> Incident | None:
            with self.traces.delivery(routed.row.guid, routed.row.event) as span:
                after = await handle(before, routed)
                if incident := after or before:
                    span.set_attribute(_INCIDENT, incident.id)
                    span.set_attribute(_STAGE, incident.stage)
                return after

        return observed

    def delivering(self, deliver: Deliver) -> Deliver:
        """Return `deliver` with a span and a duration for each write."""

        async def observed(incident: Incident, write: AnyWrite) -> Result:
            with self.traces.span(f"write {write.kind}", {_INCIDENT: incident.id, _STAGE: incident.stage}) as span:
                with self._timed(lambda outcome, s: self.meters.write(write.kind, outcome, s)) as say:
                    result = await deliver(incident, write)
                    say("done" if result.ok else "refused")
                span.set_attribute("sre_space.write.ok", result.ok)
                return result

        return observed

    def stepping(self, agent: Agent, step: Step) -> Step:
        """Return an agent's step with a span and a duration."""

        async def observed(incident: Incident) -> Incident:
            attributes = {_INCIDENT: incident.id, _STAGE: incident.stage, "sre_space.agent": agent}
            with self.about(incident.id), self.traces.span(f"{agent} {incident.stage}", attributes) as span:
                with self._timed(lambda outcome, s: self.meters.step(agent, outcome, s)) as say:
                    after = await step(incident)
                    say("waits" if after.stage is incident.stage else "moved")
                span.set_attribute("sre_space.stage.next", after.stage)
                return after

        return observed

    @contextlib.contextmanager
    def _timed(self, note: Callable[[str, float], None]) -> Generator[Callable[[str], None]]:
        """Time the block; its outcome is what it said, `postponed` on a transient error and `failed` on any other."""
        started, outcome = time.monotonic(), ["failed"]
        try:
            yield lambda said: outcome.__setitem__(0, said)
        except TransientError:
            outcome[0] = "postponed"
            raise
        finally:
            note(outcome[0], time.monotonic() - started)

    @contextlib.contextmanager
    def github_call(self, method: str, path: str) -> Generator[Answered]:
        """Time an HTTP request to GitHub; the block notes the answer's status."""
        answered, started, route = Answered(), time.monotonic(), route_of(path)
        attributes = {"http.request.method": method, "url.template": route}
        try:
            with self.traces.span(f"GitHub {method} {route}", attributes, SpanKind.CLIENT) as span:
                yield answered
                if answered.status is not None:
                    span.set_attribute("http.response.status_code", answered.status)
        finally:
            self.meters.call(method, answered.status, time.monotonic() - started)

    def github_limit(self, headers: Mapping[str, str]) -> None:
        """Note what GitHub's answer says of its rate limit."""
        remaining = headers.get("x-ratelimit-remaining", "")
        if remaining.isdecimal():
            self.meters.rate_limit(headers.get("x-ratelimit-resource", ""), int(remaining))

    def saved(self, before: Incident | None, after: Incident) -> None:
        """Note that an incident was stored; the first time that it has ended, its trace gets its root."""
        if after.stage in TERMINAL and (before is None or before.stage not in TERMINAL):
            self.traces.ended(after)
            self.meters.ended(after)

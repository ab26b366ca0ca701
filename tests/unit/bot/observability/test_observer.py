"""What an incident leaves behind: one trace over all processes, and counts."""

from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

from agents.errors import ForgeRefusedError, ForgeUnavailableError
from agents.incident import Agent, Incident, Stage
from agents.testing.builders import incident
from agents.testing.scenarios import pool_signal
from agents.writes import Done, Refused, SyncComment
from bot.db.rows import InboxRow, Status
from bot.events import Routed
from bot.observability.ids import ids_of
from bot.observability.observer import Observer

GUID = "0b989ba4-242f-11e5-81e1-c7b6966d2516"
ROOT = ids_of("incident", "inc-1")


def routed(event="issue_comment") -> Routed:
    """Return a delivery as a worker gets it."""
    row = InboxRow(
        id=1,
        guid=GUID,
        source="github",
        event=event,
        payload="{}",
        status=Status.PENDING,
        attempts=0,
        note="",
        received_at=datetime(2026, 5, 1, tzinfo=UTC),
    )
    return Routed(row, event=None, incident_id="inc-1")


def known(stage=Stage.ORIENTING) -> Incident:
    """Return the incident of these tests."""
    return incident(pool_signal(), stage).evolve(id="inc-1")


async def call(observer, status=200, path="/repos/acme/shop/issues/5/comments", **headers):
    """Make a call to GitHub as the transport does."""
    with observer.github_call("GET", path) as answered:
        answered.status = status
    observer.github_limit(headers)


async def test_a_trace_is_continued_after_a_restart_and_gets_its_root_once(make_watched):
    """Two workers that know nothing of each other but the incident's id; the root ends it, with every stage."""
    first, second = make_watched(), make_watched()

    async def orient(incident):
        await call(first.observer)
        return incident.move(Stage.DECIDING, Agent.BRAIN, "A cause.", datetime(2026, 5, 31, tzinfo=UTC))

    async def sync(incident, write):
        await call(second.observer)
        return Done()

    before = known()
    after = await first.observer.stepping(Agent.BRAIN, orient)(before)
    first.observer.saved(before, after)
    with second.observer.about("inc-1"):
        await second.observer.delivering(sync)(after, SyncComment())
    ended = after.move(Stage.ESCALATED, Agent.GUARDRAIL, "People.", after.timeline[-1].at + timedelta(seconds=1))
    second.observer.saved(after, ended)
    second.observer.saved(ended, ended)

    github = "GitHub GET /repos/{}/{}/issues/{}/comments"
    assert [span.name for span in first.spans] == [github, "Brain orienting"]
    assert [span.name for span in second.spans] == [github, "write sync_comment", "incident"]
    spans = {span.context.span_id: span for span in (*first.spans, *second.spans)}
    assert {span.context.trace_id for span in spans.values()} == {ROOT.trace_id}
    root = spans[ROOT.span_id]
    assert root.parent is None
    assert [event.name for event in root.events][-2:] == ["deciding", "escalated"]
    assert root.attributes["sre_space.incident.outcome"] == "escalated"
    parents = {span.name: spans[span.parent.span_id].name for span in spans.values() if span.parent}
    assert parents == {github: "write sync_comment", "Brain orienting": "incident", "write sync_comment": "incident"}


async def test_a_delivery_links_to_the_span_of_its_arrival(make_watched):
    """Web and worker find the same ids from the guid."""
    web, worker = make_watched(), make_watched()
    with web.observer.webhook() as receipt:
        receipt.event, receipt.guid, receipt.outcome = "issue_comment", GUID, "stored"

    async def handle(before, row):
        return before

    with worker.observer.about("inc-1"):
        await worker.observer.handling(handle)(known(), routed())
    (arrived,), (handled,) = web.spans, worker.spans
    assert (arrived.name, arrived.kind) == ("webhook issue_comment", SpanKind.SERVER)
    assert handled.context.trace_id == ROOT.trace_id
    (link,) = handled.links
    assert (link.context.trace_id, link.context.span_id) == (arrived.context.trace_id, arrived.context.span_id)


@pytest.mark.parametrize("outcome", ["duplicate", "ignored", "refused"])
async def test_a_webhook_that_is_not_stored_is_counted_and_not_traced(seen, outcome):
    """Whoever sends rubbish fills no trace store; an event's name from outside is no label."""
    with seen.observer.webhook() as receipt:
        receipt.event, receipt.guid, receipt.outcome = "made_up_by_somebody", GUID, outcome
    assert seen.spans == ()
    assert seen.points()["sre_space.webhooks"] == [({"event": "other", "outcome": outcome}, 1)]


async def test_a_delivery_about_no_incident_leaves_no_span(seen):
    """An ordinary issue must not begin a trace that never gets a root."""

    async def handle(before, row):
        return None

    with seen.observer.about("inc-of-an-ordinary-issue"):
        await seen.observer.handling(handle)(None, routed("issues"))
    await call(seen.observer)
    assert seen.spans == ()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(ForgeUnavailableError("secret text of GitHub"), "postponed"), (ForgeRefusedError(422, "secret text"), "failed")],
)
async def test_a_failed_step_says_which_error_but_not_its_text(seen, error, outcome):
    """The text of errors comes from outside."""

    async def fail(incident):
        raise error

    with pytest.raises(type(error)):
        await seen.observer.stepping(Agent.FIXER, fail)(known(Stage.ACTING))
    (span,) = seen.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == type(error).__name__
    assert "secret" not in span.to_json()
    assert seen.points()["sre_space.step.duration"] == [({"agent": "Fixer", "outcome": outcome}, 1)]


async def test_the_sampler_takes_or_leaves_an_incident_as_a_whole(make_watched):
    """With none sampled there is no root, and no step without it."""
    none = make_watched(ParentBasedTraceIdRatio(0.0))

    async def step(incident):
        return incident

    await none.observer.stepping(Agent.BRAIN, step)(known())
    none.observer.saved(known(), known(Stage.RESOLVED))
    assert none.spans == ()
    assert none.points()["sre_space.incidents.ended"] == [({"outcome": "resolved"}, 1)]


async def test_the_times_of_an_incident_are_counted_as_far_as_they_are_known(seen):
    """An escalated incident was detected, and that is all."""
    seen.observer.saved(known(), known(Stage.ESCALATED))
    points = seen.points()
    assert points["sre_space.incident.ttd"] == [({"outcome": "escalated"}, 1)]
    assert "sre_space.incident.ttr" not in points


async def test_calls_are_counted_by_status_and_the_rest_of_the_rate_limit_is_shown(seen):
    """No answer is a status of its own; the kind of limit is one of GitHub's."""
    await call(seen.observer, **{"x-ratelimit-remaining": "4711", "x-ratelimit-resource": "core"})
    await call(seen.observer, None, **{"x-ratelimit-remaining": "7", "x-ratelimit-resource": "surprise"})
    points = seen.points()
    assert points["sre_space.github.call.duration"] == [
        ({"method": "GET", "status": "200"}, 1),
        ({"method": "GET", "status": "none"}, 1),
    ]
    assert points["sre_space.github.rate_limit.remaining"] == [({"resource": "core"}, 4711), ({"resource": "other"}, 7)]


async def test_an_observer_that_is_off_changes_nothing():
    """No current span, and results as they are."""

    async def write(incident, write):
        assert not get_current_span().get_span_context().is_valid
        return Refused(reason="no")

    off = Observer()
    with off.about("inc-1"):
        assert await off.delivering(write)(known(), SyncComment()) == Refused(reason="no")
    off.saved(known(), known(Stage.RESOLVED))

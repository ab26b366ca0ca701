"""What the dashboard reads, over real SQLite."""

from agents.incident import Agent, Stage
from agents.plan import PullRequestRef
from tests.support_store import START, incident


async def test_the_overview_lists_newest_first_and_counts_all(store, clock):
    """The counts are over every incident, not over those that are listed."""
    for number, stage in enumerate([Stage.RESOLVED, Stage.OBSERVING, Stage.OBSERVING]):
        await store.save(incident(f"inc-{number}", stage=stage), 0)
        clock.move(1)
    overview = await store.read_model.overview(2)
    assert [row.id for row in overview.incidents] == ["inc-2", "inc-1"]
    assert overview.by_stage == {"resolved": 1, "observing": 2}
    assert (overview.total, overview.seq) == (3, 3)


async def test_a_row_tells_what_the_incident_tells(store):
    """The columns follow the incident."""
    pull = PullRequestRef(number=8, url="https://example.test/8", head_sha="h")
    seen = incident(issue=5, issue_url="https://example.test/5", service="quote", pull_request=pull)
    await store.save(seen, 0)
    [row] = (await store.read_model.overview()).incidents
    assert (row.title, row.service, row.issue, row.pull_request) == ("quote fails", "quote", 5, 8)
    assert (row.onset_at, row.detected_at, row.resolved_at) == (seen.clock.onset, START, None)
    assert row.from_memory is False


async def test_a_page_is_the_incident_at_its_version(store):
    """With the timeline, and with where to stream on from."""
    await store.save(incident(), 0)
    seen, version = await store.load("inc-1")
    await store.save(seen.move(Stage.OBSERVING, Agent.SCOUT, "open", START), version)
    page = await store.read_model.incident("inc-1")
    assert (page.version, page.seq) == (2, 2)
    assert [entry.note for entry in page.incident.timeline] == ["open"]
    assert await store.read_model.incident("nope") is None


async def test_events_are_resumed_after_any_number(store):
    """A client that has seen n gets n + 1 next, in pages."""
    for number in range(5):
        await store.save(incident(f"inc-{number}"), 0)
    assert [event.seq for event in await store.read_model.events_after(2, 2)] == [3, 4]
    assert await store.read_model.last_sequence() == 5

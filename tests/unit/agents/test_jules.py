"""Jules: exactly the third recurrence calls for a structural proposal."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.incident import Stage
from agents.jules import PERIOD, THRESHOLD, jules
from agents.plan import RevertCommit
from agents.ports import Case
from agents.testing.builders import incident
from agents.testing.memory import FakeMemory
from agents.testing.scenarios import deploy_signal
from agents.writes import OpenProposal

NOW = datetime(2026, 5, 31, tzinfo=UTC)


def case(number, *, days_ago=1, summary="It broke."):
    """Return a remembered case with the signature of the bad deploy."""
    seen = incident(deploy_signal())
    return Case(
        id=f"c{number}",
        incident_id=f"c{number}",
        tenant="default",
        installation_id=seen.repo.installation_id,
        repo="acme/shop",
        issue=number,
        service="quote",
        kind="bad_deploy",
        signature=seen.signature,
        text="",
        remedy=RevertCommit(service="quote", sha="a" * 40, title="Round"),
        summary=summary,
        verified_at=NOW - timedelta(days=days_ago),
    )


async def propose(*cases):
    """Return the proposals that Jules makes with these cases in memory."""
    step = jules(FakeMemory(*cases), lambda: NOW)
    after = await step(incident(deploy_signal(), Stage.EVOLVING))
    assert after.stage is Stage.RESOLVED
    return [write for write in after.outgoing if isinstance(write, OpenProposal)]


@pytest.mark.parametrize(("count", "proposals"), [(1, 0), (2, 0), (3, 1), (4, 0)])
async def test_the_third_recurrence_and_no_other_opens_a_proposal(count, proposals):
    """One proposal per signature: at the third incident."""
    assert len(await propose(*(case(number) for number in range(count)))) == proposals


async def test_incidents_older_than_30_days_do_not_count():
    """Two recent ones and an old one are not a pattern."""
    assert await propose(case(1, days_ago=40), case(2), case(3)) == []


async def test_what_telemetry_wrote_is_escaped_in_the_proposal():
    """A summary with Markdown, a mention or a comment opener cannot take over the proposal."""
    (proposal,) = await propose(case(1, summary="<!-- x --> @maria [a](http://b)"), case(2), case(3))
    assert "<!--" not in proposal.body
    assert "@maria" not in proposal.body
    assert "](http" not in proposal.body


@pytest.mark.parametrize(("older", "proposals"), [(timedelta(0), 1), (timedelta(seconds=1), 0)])
async def test_a_period_of_30_days_counts_to_the_second(older, proposals):
    """A case of exactly 30 days ago is the third one, a second earlier it is none."""
    assert (timedelta(days=30), 3) == (PERIOD, THRESHOLD)
    first = case(1).model_copy(update={"verified_at": NOW - timedelta(days=30) - older})
    assert len(await propose(first, case(2), case(3))) == proposals


@pytest.mark.parametrize(("service", "named"), [("gateway", "gateway"), (None, "first")])
async def test_the_proposal_names_the_incidents_service_or_that_of_the_first_case(service, named):
    """And the kind of the first case."""
    cases = [
        case(number, days_ago=9 - number).model_copy(update={"service": name, "kind": f"kind_{number}"})
        for number, name in enumerate(("first", "second", "third"))
    ]
    step = jules(FakeMemory(*cases), lambda: NOW)
    after = await step(incident(deploy_signal(), Stage.EVOLVING).evolve(service=service))
    (proposal,) = [write for write in after.outgoing if isinstance(write, OpenProposal)]
    assert proposal.title == f"Make {named} immune to kind 0"
    assert proposal.body.startswith(f"The same failure of **{named}** was fixed 3 times")

"""An incident whose root is a database: no service of the configuration, no series of its own."""

from agents.incident import Stage
from bot.comments.evidence import impact
from telemetry.testing import DATABASE, FanOut, Fault
from tests.unit.bot.story import Story

SERVICES = ("quote", "pricing", "orders")


def signal_of(fault: Fault):
    """Return what Scout tells of a database fault that hits three services."""
    shop = FanOut(SERVICES)
    shop.run(200)
    return shop.run(60, {DATABASE: fault})[-1]


async def test_an_incident_rooted_at_a_database_is_explained_and_given_to_people():
    """No repository holds the database, so there is nothing to fix by a pull request; the database is named."""
    story = Story()
    incident = await story.signalled(signal_of(Fault(error_ratio=0.8)))
    assert incident.stage is Stage.ESCALATED
    assert incident.service == DATABASE
    assert incident.diagnosis is not None
    assert incident.diagnosis.service == DATABASE
    assert incident.title.startswith(f"{DATABASE}: ")
    assert "% of calls from" in incident.title
    assert any(DATABASE in body for body in story.bodies())


def test_the_impact_of_a_database_fault_is_told_by_the_calls_to_it():
    """Failing calls as a share, slow ones by their p95; in the past tense once it is over."""
    failing, slow = signal_of(Fault(error_ratio=0.8)), signal_of(Fault(extra_ms=900))
    assert f"to **{DATABASE}** fail (0 % before)" in impact(failing)
    assert f"to **{DATABASE}** failed (0 % before)" in impact(failing, past=True)
    assert f"to **{DATABASE}** are slow (p95 " in impact(slow)

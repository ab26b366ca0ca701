"""What SRE-Space writes is read back, from the very texts that its own tests hold fixed."""

from pydantic import SecretStr

from action.chaos.reading import analysis_of, incident_of, is_handed_over, services_of
from agents.incident import Stage
from bot.comments.progress import STATES
from bot.markers import Markers
from tests.requirements import ROOT

GOLDEN = ROOT / "tests/unit/bot/comments/golden"


def golden(name):
    """Return a text as SRE-Space writes it."""
    return (GOLDEN / f"{name}.md").read_text(encoding="utf-8")


def test_the_incident_is_known_by_the_mark_in_its_issue():
    """GitHub may give bodies back with its own line ends."""
    body = f"{golden('issue')}\n{Markers(SecretStr('s')).make('issue', 'inc-0123456789', 'open_issue')}"
    assert incident_of(body) == "inc-0123456789"
    assert incident_of(body.replace("\n", "\r\n")) == "inc-0123456789"


def test_an_issue_of_a_person_is_no_incident_of_ours():
    """A mark that is quoted within a line is none."""
    assert incident_of("> <!-- sre-space:issue:inc-1:open_issue 00 -->") is None
    assert incident_of("quote is down") is None


def test_services_come_from_the_table_of_what_was_noticed():
    """Each service once, in order; other tables of the issue do not count."""
    noticed = golden("issue").replace("| quote | `GET /quote/{sku}` | saturation", "| gate\\_way | `GET /` | latency")
    assert services_of(noticed) == ("quote", "gate_way")
    assert services_of("no table") == ()


def test_the_analysis_is_read_with_its_first_candidate():
    """Verdict, service and kind are those that the comment shows."""
    found = analysis_of(golden("sticky_waiting"))
    assert found is not None
    assert (found.verdict, found.service, found.kind) == ("likely", "quote", "db pool exhaustion")


def test_a_comment_without_an_analysis_is_none():
    """The post-mortem and a reply are no analysis."""
    assert analysis_of("## Looking for the cause\n\nquote is slow") is None


def test_an_analysis_without_candidates_keeps_its_verdict():
    """A long comment leaves candidates out; then no service is claimed."""
    found = analysis_of("### Root cause: inconclusive\n\nNothing fits.")
    assert found is not None
    assert (found.verdict, found.service) == ("inconclusive", None)


def test_a_handover_is_recognised_by_its_headline():
    """Only an escalated incident's comment begins like that."""
    assert is_handed_over(golden("sticky_escalated"))
    assert not is_handed_over(golden("sticky_waiting"))
    assert STATES[Stage.ESCALATED][0] in golden("sticky_escalated")

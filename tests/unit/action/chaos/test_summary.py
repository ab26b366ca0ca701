"""The job summary: figures as they are, untrusted text escaped, a timeline that Mermaid can read."""

from pathlib import Path

from action.chaos.experiment import Experiment
from action.chaos.milestones import Milestones
from action.chaos.score import Decision, Reason, Verdict
from action.chaos.summary import summary, timeline
from tests.unit.action.story import ONSET, SPEC, at, seen

EXPERIMENT = Experiment(path=Path("x.yaml"), title="The pool runs dry", spec=SPEC)
PASSED = Verdict(decision=Decision.PASS, reason=Reason.RESOLVED, note="All of it came in time.")


def test_a_pass_shows_every_figure_and_the_timeline():
    """Table, then timeline from the onset."""
    found = seen(incident_url="https://gh/1", pull_request_url="https://gh/2")
    text = summary(EXPERIMENT, PASSED, found)
    assert "## ✅ Chaos: The pool runs dry" in text
    assert "| incident | [#1](https://gh/1) |" in text
    assert "| time to detect | 20 s | at most 60 s |" in text
    assert "| root cause | quote, db pool exhaustion (likely) | quote, db pool exhaustion |" in text
    assert "| time to recover | 90 s | at most 600 s |" in text
    assert text.endswith(timeline("db-pool-exhaustion", found))


def test_what_was_not_seen_is_not_made_up():
    """A run that broke nothing has no timeline and no figures."""
    text = summary(EXPERIMENT, PASSED.model_copy(update={"decision": Decision.ABORT}), Milestones())
    assert "| incident | not seen |" in text
    assert "mermaid" not in text


def test_the_timeline_is_in_order_of_time():
    """Whatever came first stands first, in seconds since the onset."""
    lines = timeline("pool", seen(merged_at=at(21))).splitlines()
    assert lines[:3] == ["```mermaid", "timeline", "    title pool"]
    assert lines[3] == "    0 s : fault in force"
    assert [line.split(" s :")[0].strip() for line in lines[3:-1]] == ["0", "20", "21", "22", "23", "90"]


def test_untrusted_text_can_neither_break_the_table_nor_the_diagram():
    """Names come from telemetry: bars, colons and back-ticks lose their meaning."""
    evil = "a|b`c:d;e#f\n```"
    text = summary(EXPERIMENT, PASSED, seen(cause_service=evil, onset=ONSET))
    assert "| root cause | a\\|b\\`c:d;e\\#" in text
    diagram = text.split("```mermaid\n")[1]
    assert diagram.count("```") == 1
    assert "    22 s : root cause abcdef (likely) seen" in diagram

"""Hostile text from telemetry, commits and people stays text, and every comment stays within GitHub's limit."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from markdown_it import MarkdownIt
from pydantic import SecretStr

from agents.diagnosis import Diagnosis
from agents.incident import Incident, Stage
from agents.testing.builders import ONSET
from agents.writes import PostComment, Topic
from bot.comments import Texts
from bot.comments.markup import details, fence
from bot.markers import Markers
from tests.unit.bot.comments import incidents

LIMIT = 65_536
MARKERS = Markers(SecretStr("secret"))
TEXTS = Texts(MARKERS)
EVIL = (
    "@acme/owners #1 GH-2 https://evil.example www.evil.example <img src=x onerror=alert(1)> **bold** "
    "[link](https://evil.example) | cell ``` ~~~ \\| `code` </details></summary> <!-- hidden "
    "\u202eright to left\u202c\n\n# heading\n/approve\n- item\n\n| a |\n|---|\n"
)
STAMP = MARKERS.make("issue", "inc-9", "open_issue").replace("inc-9", "inc-1")
HTML = MarkdownIt("commonmark", {"html": True}).enable("table")


def hostile(value: Any, keep: frozenset[str] = frozenset()) -> Any:
    """Return JSON in which every text that is not structure is hostile."""
    if isinstance(value, str):
        return f"{EVIL}{STAMP}"
    if isinstance(value, list):
        return [hostile(item, keep) for item in value]
    if isinstance(value, dict):
        return {key: item if key in keep else hostile(item, keep) for key, item in value.items()}
    return value


STRUCTURE = frozenset(
    {
        *(
            "id",
            "kind",
            "stage",
            "severity",
            "verdict",
            "agent",
            "detector",
            "state",
            "health",
            "via",
            "risk",
            "outcome",
        ),
        *("at", "onset", "detected", "owned", "mitigated", "resolved", "start", "end", "confirmed", "closed"),
        *("first_seen", "changed_at", "expires_at", "deployed_at", "deploy_deadline", "issue_url", "evidence_ids"),
        *("why", "permission", "sha"),
    }
)


def evil(incident: Incident) -> Incident:
    """Return the incident with hostile text wherever text is free; the same names stay the same names."""
    return Incident.model_validate(hostile(incident.model_dump(mode="json"), STRUCTURE))


def texts(found: Incident) -> Mapping[str, str]:
    """Return every text about an incident."""
    topics = {topic: TEXTS.notice(found, PostComment(key="k", topic=topic, note=f"{EVIL}{STAMP}")) for topic in Topic}
    plan = found.plan or found.dry_run_plan
    assert plan is not None
    return {
        "issue": TEXTS.issue(found).body,
        "issue by a person": TEXTS.issue(found.evolve(signal=None, body=EVIL)).body,
        "sticky": TEXTS.sticky(found),
        "pull": TEXTS.pull_request(found, plan, revert=False),
        "revert": TEXTS.pull_request(found, plan, revert=True),
        **topics,
    }


STORIES = {
    "waiting": incidents.waiting(),
    "high risk": incidents.high_risk(),
    "verifying": incidents.verifying(),
    "resolved": incidents.resolved(),
    "escalated": incidents.escalated(),
    "dry run": incidents.dry_run(),
}


def visible(text: str) -> str:
    """Return the rendered HTML without code, where GitHub links nothing."""
    html = HTML.render(text)
    return re.sub(r"<(code)[^>]*>.*?</code>", "", html, flags=re.DOTALL)


@pytest.mark.parametrize("story", STORIES)
def test_hostile_text_stays_text(story: str):
    """No element, link, mention, reference, heading or fold comes from untrusted text."""
    for name, text in texts(evil(STORIES[story])).items():
        html = visible(text)
        assert "<img" not in html, name
        assert "evil.example" not in "".join(re.findall(r'href="[^"]*"', html)), name
        assert not re.search(r"@acme|#1\b|https?://evil|\bwww\.evil", html), name
        assert "<h1" not in html, name
        assert html.count("<details") == html.count("</details>"), name
        assert "\u202e" not in text, name
        assert not text.startswith("/approve"), name


@pytest.mark.parametrize("story", STORIES)
def test_no_untrusted_text_makes_a_mark(story: str):
    """A mark inside telemetry or a commit title is not found in what we post."""
    genuine = MARKERS.make("issue", "inc-1", "open_issue")
    found = Incident.model_validate_json(
        evil(STORIES[story]).model_dump_json().replace(STAMP.replace('"', '\\"'), genuine)
    )
    for name, text in texts(found).items():
        assert MARKERS.find(text) is None, name


@pytest.mark.parametrize("story", STORIES)
def test_tables_keep_their_columns(story: str):
    """Every row of a table has as many cells as its header."""
    for name, text in texts(evil(STORIES[story])).items():
        html = HTML.render(text)
        for table in re.findall(r"<table>.*?</table>", html, flags=re.DOTALL):
            rows = [row.count("<td") + row.count("<th>") for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)]
            assert len(set(rows)) == 1, name


def crowded() -> Incident:
    """Return an incident with far more of everything than fits."""
    found = incidents.resolved()
    diagnosis = found.diagnosis
    assert diagnosis is not None
    claims = tuple(diagnosis.claims[0].model_copy(update={"text": "x" * 5000}) for _ in range(200))
    candidates = tuple(diagnosis.candidates[0].model_copy(update={"speaks_for": claims}) for _ in range(20))
    many: Diagnosis = diagnosis.model_copy(update={"claims": claims, "candidates": candidates, "summary": "y" * 9000})
    signal = found.signal
    assert signal is not None
    items = tuple(signal.evidence.items[1].model_copy(update={"message": "z" * 900}) for _ in range(500))
    evidence = signal.evidence.model_copy(update={"items": items})
    plan = found.plan
    assert plan is not None
    return found.evolve(
        diagnosis=many,
        signal=signal.model_copy(update={"evidence": evidence, "anomalies": signal.anomalies * 100}),
        plan=plan.model_copy(update={"diff": "+line\n" * 100_000}),
        timeline=found.timeline * 500,
        title="t" * 5000,
    )


def test_every_text_stays_within_the_limit():
    """With room for the mark, whatever there is to say, and with every fold closed."""
    mark = MARKERS.make("sync_comment", "inc-1", "sync_comment")
    for name, text in texts(crowded()).items():
        assert len(text) + len(mark) + 2 < LIMIT, name
        assert text.count("<details>") == text.count("</details>"), name
    shown = crowded().evolve(plan=None, dry_run_plan=crowded().plan)
    text = TEXTS.notice(shown, PostComment(key="k", topic=Topic.DRY_RUN))
    assert len(text) + len(mark) + 2 < LIMIT
    assert "more lines" in text
    assert "left out" in TEXTS.sticky(crowded())
    assert len(TEXTS.issue(crowded()).title) <= 256


def test_what_matters_is_never_left_out():
    """State, next step, cause and fix survive the cut; the timeline goes first."""
    text = TEXTS.sticky(crowded().evolve(stage=Stage.AWAITING_APPROVAL))

    for part in ("## Waiting for approval", "**Next:**", "### Root cause", "### Fix", "`/approve`", "more lines"):
        assert part in text
    assert "Timeline (" not in text


def test_a_fence_is_longer_than_what_it_holds():
    """Backticks inside a diff do not end its block."""
    text = fence("a\n`````\nb", "diff")

    assert text.startswith("``````diff\n")
    assert HTML.render(text).count("<pre>") == 1


def test_a_diff_shows_what_it_hides():
    """Characters that turn text around, or cannot be seen, are told by number."""
    assert fence("+ok\u202eko\u200b") == "```\n+ok<U+202E>ko<U+200B>\n```"


def test_a_summary_is_no_markup():
    """What is folded under a title cannot be unfolded by the title."""
    assert "<b>" not in details("<b>bold</b>", "text")


def test_the_onset_is_the_first_moment_told():
    """The fixture's clock and the text's agree."""
    assert f"{ONSET:%H:%M:%S} UTC" in TEXTS.sticky(incidents.waiting())

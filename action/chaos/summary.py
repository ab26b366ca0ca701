"""The job summary of an experiment: verdict, table, timeline."""

from collections.abc import Iterator
from datetime import datetime

from action.chaos.experiment import Experiment
from action.chaos.milestones import Milestones
from action.chaos.score import Decision, Verdict
from agents.markdown import escape, plain

ICONS = {Decision.PASS: "✅", Decision.FAIL: "❌", Decision.ABORT: "⏹️"}
NOT_SEEN = "not seen"
SYNTAX = frozenset(":;#|`{}<>\"'%")


def summary(experiment: Experiment, verdict: Verdict, seen: Milestones) -> str:
    """Return the summary as Markdown. Text from GitHub in it is escaped."""
    head = f"## {ICONS[verdict.decision]} Chaos: {escape(experiment.title)}"
    said = f"**{verdict.decision}** (`{verdict.reason}`). {escape(verdict.note, 500)}"
    parts = [head, said, _table(experiment, seen)]
    if seen.onset is not None:
        parts.append(timeline(experiment.spec.fault, seen))
    return "\n\n".join(parts)


def _table(experiment: Experiment, seen: Milestones) -> str:
    limits = experiment.spec.limits
    others = ", ".join(f"#{number}" for number in seen.other_incidents)
    rows = [
        ("fault", f"`{experiment.spec.fault}`", ""),
        ("incident", _link(seen.incident, seen.incident_url), f"also opened: {others}" if others else ""),
        ("time to detect", _seconds(seen.ttd_s), f"at most {limits.ttd_s:.0f} s"),
        ("root cause", _cause(seen), _expected(experiment)),
        ("pull request", _link(seen.pull_request, seen.pull_request_url), ""),
        ("time to recover", _seconds(seen.ttr_s), f"at most {limits.ttr_s:.0f} s"),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(["| what | seen | expected |", "| --- | --- | --- |", *lines])


def _cause(seen: Milestones) -> str:
    if seen.verdict is None:
        return NOT_SEEN
    what = f"{escape(seen.cause_service)}, {escape(seen.cause_kind or '')}" if seen.cause_service else "no candidate"
    return f"{what} ({escape(seen.verdict)})"


def _expected(experiment: Experiment) -> str:
    expect = experiment.spec.expect
    if expect is None:
        return ""
    return escape(f"{expect.service}, {expect.kind}" if expect.kind else expect.service)


def _link(number: int | None, url: str | None) -> str:
    if number is None:
        return NOT_SEEN
    return f"[#{number}]({url})" if url else f"#{number}"


def _seconds(value: float | None) -> str:
    return NOT_SEEN if value is None else f"{value:.0f} s"


def timeline(title: str, seen: Milestones) -> str:
    """Return the moments as a Mermaid timeline, in the order in which they came."""
    lines = ["```mermaid", "timeline", f"    title {_word(title)}"]
    for at, what in sorted(_moments(seen)):
        lines.append(f"    {_seconds(seen.after_onset_s(at))} : {_word(what)}")
    return "\n".join([*lines, "```"])


def _moments(seen: Milestones) -> Iterator[tuple[datetime, str]]:
    known = (
        (seen.onset, "fault in force"),
        (seen.detected_at, f"incident {seen.incident} opened"),
        (seen.analysed_at, f"root cause {seen.cause_service or ''} ({seen.verdict}) seen"),
        (seen.proposed_at, f"pull request {seen.pull_request} opened"),
        (seen.merged_at, f"pull request {seen.pull_request} merged"),
        (seen.recovered_at, "recovery verified, incident closed"),
    )
    return ((at, what) for at, what in known if at is not None)


def _word(text: str) -> str:
    """Return `text` without what Mermaid's timelines take for syntax."""
    kept = "".join(char for char in plain(text, 80) if char not in SYNTAX)
    return " ".join(kept.split())

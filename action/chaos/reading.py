"""Reads what SRE-Space writes on GitHub, as a person would: which incident, which services, which cause."""

import re

from agents.incident import Stage
from agents.markdown import unescape
from bot.comments.progress import STATES
from telemetry.model import Frozen

_MARK = re.compile(r"^<!-- sre-space:issue:(?P<incident>[A-Za-z0-9_-]+):", re.MULTILINE)
_NOTICED = re.compile(r"^### What was noticed\n\n(?P<table>(?:\|.*\n?)+)", re.MULTILINE)
_VERDICT = re.compile(r"^### Root cause: (?P<verdict>\w+)$", re.MULTILINE)
_FIRST = re.compile(r"^\| 1 \| (?P<service>[^|`]+?)(?: `[^|]*)? \| (?P<kind>[a-z ]+) \|", re.MULTILINE)
_HEADER_ROWS = 2


class Analysis(Frozen):
    """What a root-cause analysis concludes; service and kind are those of its first candidate, where it has any."""

    verdict: str
    service: str | None = None
    kind: str | None = None


def incident_of(issue_body: str) -> str | None:
    """Return the id of the incident whose issue this is, None when it is none."""
    found = _MARK.search(_lines(issue_body))
    return found["incident"] if found else None


def services_of(issue_body: str) -> tuple[str, ...]:
    """Return the services on which something was noticed, in the order of the issue's table."""
    found = _NOTICED.search(_lines(issue_body))
    if found is None:
        return ()
    rows = found["table"].splitlines()[_HEADER_ROWS:]
    names = (unescape(row.split("|")[1].strip()) for row in rows)
    return tuple(dict.fromkeys(names))


def analysis_of(comment_body: str) -> Analysis | None:
    """Return the analysis in a comment, None when it holds none."""
    text = _lines(comment_body)
    verdict = _VERDICT.search(text)
    if verdict is None:
        return None
    first = _FIRST.search(text)
    if first is None:
        return Analysis(verdict=verdict["verdict"])
    return Analysis(verdict=verdict["verdict"], service=unescape(first["service"]), kind=first["kind"])


def is_handed_over(comment_body: str) -> bool:
    """Return whether a comment says that people have to take over."""
    return _lines(comment_body).startswith(f"## {STATES[Stage.ESCALATED][0]}\n")


def _lines(body: str) -> str:
    return body.replace("\r\n", "\n")

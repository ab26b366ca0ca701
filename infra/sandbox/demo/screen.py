"""What the person at the terminal sees. Everything goes to one Console: stderr when stdout carries JSON."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from dashboard.model import Moment
from infra.sandbox.demo.report import IncidentReport

COLOURS = {"resolved": "green", "escalated": "red", "dismissed": "yellow", "awaiting_approval": "yellow"}


class Screen:
    """Prints the story of the demo, line by line, with the time since its start."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._start = datetime.now(UTC)

    def _clock(self, at: datetime | None = None) -> str:
        return f"{((at or datetime.now(UTC)) - self._start).total_seconds():6.1f} s"

    def say(self, text: str) -> None:
        """Print one line of progress."""
        self.console.print(f"[dim]{self._clock()}[/]  {escape(text)}")

    def urls(self, urls: dict[str, str]) -> None:
        """Print the addresses to open in a browser."""
        table = Table.grid(padding=(0, 2))
        for name, url in urls.items():
            table.add_row(name, url)
        self.console.print(Panel(table, title="Open in a browser while it runs", expand=False))

    def stage(self, moment: Moment) -> None:
        """Print one stage change of an incident."""
        colour = COLOURS.get(moment.stage, "cyan")
        stage = moment.stage.replace("_", " ")
        head = f"[dim]{self._clock(moment.at)}[/]  [bold]{moment.agent:<9}[/] [{colour}]{stage:<17}[/]"
        self.console.print(f"{head} {escape(moment.note)}")

    def comment(self, title: str, markdown: str) -> None:
        """Print a comment as rendered Markdown, without its hidden parts."""
        self.console.print(Panel(Markdown(_visible(markdown)), title=escape(title)))

    def diff(self, diff: str) -> None:
        """Print the fix."""
        self.console.print(Panel(Syntax(diff, "diff", background_color="default"), title="The fix"))

    def scorecard(self, reports: list[IncidentReport]) -> None:
        """Print the times of every incident in one table."""
        table = Table(title="Scorecard", show_header=False, show_lines=False)
        for name, cell in ROWS.items():
            table.add_row(name, *(cell(report) for report in reports), end_section=name == "cause")
        self.console.print(table)
        self.console.print(
            "[dim]TTD: onset to detection. TTA: detection to first owner. "
            "TTM: onset to impact stopped. TTR: onset to verified recovery.[/]"
        )


def _outcome(report: IncidentReport) -> str:
    return f"[{COLOURS.get(report.outcome, 'white')}]{report.outcome}[/]"


ROWS: Mapping[str, Callable[[IncidentReport], str]] = {
    "scenario": lambda report: report.scenario,
    "outcome": _outcome,
    "cause": lambda report: f"{report.cause_kind or 'unknown'} in {report.cause_service or 'unknown'}",
    "suspect commit": lambda report: (report.suspect_commit or "none")[:9],
    "fix from memory": lambda report: "yes" if report.from_memory else "no",
    "TTD": lambda report: _seconds(report.ttd_s),
    "TTA": lambda report: _seconds(report.tta_s),
    "TTM": lambda report: _seconds(report.ttm_s),
    "TTR": lambda report: _seconds(report.ttr_s),
    "GitHub calls": lambda report: str(report.github_calls),
}


def _seconds(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.1f} s"


def _visible(markdown: str) -> str:
    """Return Markdown without HTML comments and fold tags, which a terminal cannot fold."""
    lines: list[str] = []
    for line in markdown.splitlines():
        if line.lstrip().startswith("<!--"):
            continue
        for tag in ("<details>", "</details>", "<summary>", "</summary>"):
            line = line.replace(tag, "**" if "summary" in tag else "")  # noqa: PLW2901 - the same line, tag by tag
        lines.append(line)
    return "\n".join(lines).replace("****", "")

"""What the person at the terminal sees. Everything goes to one Console: stderr when stdout carries JSON."""

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
        table = Table(title="Scorecard")
        for name in ("scenario", "outcome", "cause", "memory", "TTD", "TTA", "TTM", "TTR", "GitHub calls"):
            table.add_column(name)
        for report in reports:
            colour = COLOURS.get(report.outcome, "white")
            table.add_row(
                report.scenario,
                f"[{colour}]{report.outcome}[/]",
                f"{report.cause_kind or '?'} in {report.cause_service or '?'}",
                "yes" if report.from_memory else "no",
                *(_seconds(value) for value in (report.ttd_s, report.tta_s, report.ttm_s, report.ttr_s)),
                str(report.github_calls),
            )
        self.console.print(table)
        self.console.print(
            "[dim]TTD: onset to detection. TTA: detection to first owner. "
            "TTM: onset to impact stopped. TTR: onset to verified recovery.[/]"
        )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


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

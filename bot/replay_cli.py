"""`sre-space replay`: recorded telemetry to a receiver."""

import sys
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.process import FAILED
from bot.replay import TIMEOUT_S, Pace, Replayer, Report, extent_of
from telemetry.errors import SreSpaceError, TelemetryFileError

replay_app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


def _speed(text: str) -> float:
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter(f"{text} is neither a positive number nor max")
    return speed


@replay_app.command()
def run(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files of the Collector's file exporter.")],
    to: Annotated[str, typer.Option(help="Address of the receiver (OTLP/HTTP).")] = "http://127.0.0.1:4318",
    speed: Annotated[
        str, typer.Option(help="1 as it was recorded, 10 ten times as fast, max as fast as it is taken.")
    ] = "1",
    token: Annotated[str, typer.Option(help="Bearer token of the tenant.")] = "",
    to_now: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--shift-to-now/--keep-times", help="Move all times so that the last message is of now.")
    ] = False,
) -> None:
    """Send recorded telemetry to a receiver; several files are merged in the order of their times.

    Exits with 1 when anything was rejected or lost. A receiver drops spans that it has seen: a second replay of the
    same file to the same receiver adds nothing.
    """
    rate = _speed(speed)
    extent = extent_of(files)
    if not extent.messages:
        raise TelemetryFileError(", ".join(map(str, files)), "holds no message: it is empty")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        httpx.Client(base_url=to.rstrip("/") + "/", headers=headers, timeout=TIMEOUT_S) as client,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("sending", total=extent.messages)
        pace = Pace(rate, to_now, extent, time.time())
        report = Replayer(client).run(files, pace, lambda: progress.advance(task))
    Console().print(_table(report))
    for problem in report.problems:
        typer.echo(problem, err=True)
    if not report.complete:
        raise typer.Exit(FAILED)


def _table(report: Report) -> Table:
    shown = Table("signal", "accepted", "rejected", "lost", caption=f"{report.retries} retries")
    for kind, tally in report.tallies.items():
        shown.add_row(kind.value, f"{tally.accepted:,}", f"{tally.rejected:,}", f"{tally.lost:,}")
    return shown


def main() -> None:
    """Run the command; what cannot be read or reached is one line that says where and why."""
    try:
        replay_app(prog_name="sre-space replay")
    except (SreSpaceError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        typer.echo(str(error), err=True)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()

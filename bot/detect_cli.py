"""`sre-space detect`: Scout over telemetry files, in event time, with no network."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from bot.process import FAILED
from bot.scout_rules import load_rules
from telemetry.errors import SreSpaceError
from telemetry.model import Anomaly
from telemetry.offline import detect

detect_app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@detect_app.command()
def run(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files of the Collector's file exporter.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line for each anomaly.")] = False,  # noqa: FBT002 - a flag
    config: Annotated[
        Path | None, typer.Option(help="YAML file with objectives and maintenance windows (docs/detection.md).")
    ] = None,
) -> None:
    """Run Scout over recorded telemetry and print the anomalies that it confirms.

    Traces, metrics and logs are merged in the order of their times; the same files give the same answer every time.
    """
    found = detect(files, rules=load_rules(config, "--config")).anomalies
    if as_json:
        for anomaly in found:
            typer.echo(as_line(anomaly))
    elif found:
        Console().print(_table(found))
    else:
        typer.echo("Scout confirms no anomaly in these files.")


def as_line(anomaly: Anomaly) -> str:
    """Return an anomaly as one line of JSON; times are RFC 3339 in UTC, null where they have not come."""
    fields = {
        "service": anomaly.key.service,
        "operation": anomaly.key.operation,
        "environment": anomaly.key.environment,
        "detector": anomaly.detector.value,
        "state": anomaly.state.value,
        "onset": _rfc3339(anomaly.onset),
        "confirmed": _rfc3339(anomaly.confirmed),
        "closed": _rfc3339(anomaly.closed),
        "severity": anomaly.severity.value,
        "reason": anomaly.reason,
    }
    return msgspec.json.encode(fields).decode()


def _rfc3339(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _table(found: tuple[Anomaly, ...]) -> Table:
    shown = Table("service", "operation", "detector", "severity", "onset (UTC)", "confirmed", "closed", "reason")
    for one in found:
        shown.add_row(
            one.key.service,
            one.key.operation,
            one.detector.value,
            one.severity.value,
            f"{one.onset:%Y-%m-%d %H:%M:%S}",
            f"{one.confirmed:%H:%M:%S}" if one.confirmed else "",
            f"{one.closed:%H:%M:%S}" if one.closed else "open",
            one.reason,
        )
    return shown


def main() -> None:
    """Run the command; a file that cannot be read is one line that says where and why."""
    try:
        detect_app(prog_name="sre-space detect")
    except SreSpaceError as error:
        typer.echo(str(error), err=True)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()

"""The command line: `sre-space …`."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from agents.config import json_schema, parse
from agents.errors import ConfigError, SreSpaceError
from agents.life import document as life_tables
from agents.stages import diagram
from bot.audit_cli import audit_app
from bot.process import FAILED
from bot.rca_cli import rca
from bot.settings import document

app = typer.Typer(
    name="sre-space",
    help="An autonomous reliability engineer that lives in GitHub.",
    epilog="Start with: sre-space demo. Settings come from the environment: sre-space settings.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(audit_app, name="audit")
app.command("rca")(rca)

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def _become(module: str, *arguments: str) -> None:
    """Replace this process by `python -m module`, so that each process loads only what it needs."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - our own modules


@app.command()
def up() -> None:
    """Run everything: Redis (if none is named), Scout, web and worker, and keep them running."""
    _become("bot.up_process")


@app.command()
def web() -> None:
    """Run the web process: webhooks at /webhooks/github, the dashboard at /."""
    _become("bot.web_process")


@app.command()
def worker() -> None:
    """Run a worker process: the agents, and everything that is written to GitHub."""
    _become("bot.worker_process")


@app.command()
def scout() -> None:
    """Run the scout process: OTLP in, detection, its query API at /scout/v1."""
    _become("bot.scout_process")


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def demo(context: typer.Context) -> None:
    """Show the whole loop on this machine, with no account and no key (see `sre-space demo --help`)."""
    _become("infra.sandbox.demo", *context.args)


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def detect(context: typer.Context) -> None:
    """Run Scout over telemetry files and print what it finds (see `sre-space detect --help`)."""
    _become("bot.detect_cli", *context.args)


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def replay(context: typer.Context) -> None:
    """Send recorded telemetry to a receiver, at a chosen speed (see `sre-space replay --help`)."""
    _become("bot.replay_cli", *context.args)


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def status(context: typer.Context) -> None:
    """Show the processes of this machine's `sre-space up` and Scout's health (see `sre-space status --help`)."""
    _become("bot.status_cli", *context.args)


@app.command("settings")
def settings_table() -> None:
    """List every setting with its default and meaning."""
    table = Table("Variable", "Default", "Meaning")
    for row in document():
        table.add_row(row.name, row.default, row.meaning)
    Console().print(table)


@app.command("config-schema")
def config_schema() -> None:
    """Print the JSON Schema of .github/sre-space.yml."""
    typer.echo(json.dumps(json_schema(), indent=2))


@app.command("config-check")
def config_check(
    file: Annotated[Path, typer.Argument(help="The file to check.")] = Path(".github/sre-space.yml"),
) -> None:
    """Check a repository's configuration and say what is wrong, with line and suggestion."""
    try:
        config = parse(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        typer.echo(f"{file} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(FAILED) from error
    except ConfigError as error:
        typer.echo("\n".join(error.problems), err=True)
        raise typer.Exit(FAILED) from error
    typer.echo(f"{file} is valid: {len(config.services)} services.")


@app.command("diagram")
def state_diagram() -> None:
    """Print the incident's state diagram as Mermaid."""
    typer.echo(diagram(), nl=False)


@app.command("life")
def life() -> None:
    """Print what becomes of an incident, stage by stage, as Markdown."""
    typer.echo(life_tables(), nl=False)


def main() -> None:
    """Run the command line; errors of ours are one line that says what to do."""
    try:
        app()
    except SreSpaceError as error:
        typer.echo(str(error), err=True)
        sys.exit(FAILED)

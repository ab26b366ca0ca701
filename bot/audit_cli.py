"""`sre-space audit`: check the hash chain, and export it."""

import asyncio
from typing import Annotated

import typer

from bot.app.truth import open_audit
from bot.db.audit import AuditReport
from bot.process import FAILED
from bot.settings import load_settings

audit_app = typer.Typer(help="The hash-chained record of who did what.", no_args_is_help=True)


@audit_app.command()
def verify() -> None:
    """Recompute the chain; exits with 1 when a row was changed or is missing."""
    report = asyncio.run(_verify())
    if not report.intact:
        typer.echo(f"The audit is broken: {report.problem}.", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"{report.rows} rows are intact. Head: {report.head}")


@audit_app.command()
def export(
    incident: Annotated[str | None, typer.Option(help="Only the rows of this incident.")] = None,
) -> None:
    """Print every row as JSON, one a line, oldest first."""
    asyncio.run(_export(incident))


async def _verify() -> AuditReport:
    async with open_audit(load_settings()) as audit:
        return await audit.verify()


async def _export(incident: str | None) -> None:
    async with open_audit(load_settings()) as audit:
        async for row in audit.export(incident_id=incident):
            typer.echo(row.model_dump_json())

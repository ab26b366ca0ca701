"""`sre-space status`: the processes of this machine, and what Scout says of itself."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console

from agents.errors import ScoutUnavailableError
from bot.app.scout import PAGE_PATIENCE_S, open_scout
from bot.process import FAILED
from bot.settings import Settings, load_settings
from bot.status import ProcessStatus, ScoutHealth, as_json, health_table, processes, table
from telemetry.errors import SreSpaceError

status_app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@status_app.command()
def run(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:  # noqa: FBT002 - a flag
    """Show the processes of this machine's `sre-space up`: state, memory, addresses, and Scout's own health."""
    settings = load_settings()
    found = asyncio.run(_with_scout(settings, processes(settings.state_dir)))
    if json:
        typer.echo(as_json(found))
        return
    if not found:
        typer.echo(f"Nothing runs on {settings.state_dir}. Start it with `sre-space up`.")
        return
    console = Console()
    console.print(table(found, settings.memory_limit_mb))
    for one in found:
        if one.scout is not None:
            console.print(health_table(one.scout))


async def _with_scout(settings: Settings, found: tuple[ProcessStatus, ...]) -> tuple[ProcessStatus, ...]:
    """Return the processes with what Scout says of itself; one that does not answer is shown without it."""
    if not any(one.name == "scout" and one.pid is not None for one in found):
        return found
    try:
        async with open_scout(settings, timeout_s=PAGE_PATIENCE_S) as client:
            health = ScoutHealth.of(await client.status())
    except ScoutUnavailableError:
        return found
    return tuple(one.model_copy(update={"scout": health}) if one.name == "scout" else one for one in found)


def main() -> None:
    """Run the command; a wrong setting is one line that says which."""
    try:
        status_app(prog_name="sre-space status")
    except SreSpaceError as error:
        typer.echo(str(error), err=True)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()

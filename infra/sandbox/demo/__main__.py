"""`python -m infra.sandbox.demo`, which `sre-space demo` starts."""

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from infra.sandbox.demo.fleet import Fleet
from infra.sandbox.demo.play import Play, Wishes
from infra.sandbox.demo.report import DemoReport, IncidentReport
from infra.sandbox.demo.screen import Screen
from infra.sandbox.demo.world import start_world
from infra.sandbox.errors import SandboxError

SCENARIOS = ("db-pool-exhaustion", "bad-deploy", "latency-spike")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line as a namespace."""
    parser = argparse.ArgumentParser(prog="sre-space demo", description="Show the whole loop on this machine.")
    parser.add_argument("--scenario", choices=[*SCENARIOS, "all"], default=SCENARIOS[0], help="which fault")
    parser.add_argument("--yes", action="store_true", help="let a seeded maintainer approve through the API")
    parser.add_argument("--never-recover", action="store_true", help="a fault that the fix does not cure")
    parser.add_argument("--times", type=int, default=1, help="play the scenario so often in one sandbox")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, progress to stderr")
    parser.add_argument("--report", type=Path, default=Path("demo-report.json"), help="file for the report")
    parser.add_argument("--state", type=Path, help="keep databases, repository and logs in this folder")
    given = parser.parse_args(arguments)
    if given.never_recover and given.scenario != SCENARIOS[0]:
        parser.error(f"--never-recover goes with --scenario {SCENARIOS[0]}")
    if not 1 <= given.times <= 5:  # noqa: PLR2004 - a demo, not a load test
        parser.error("--times is a number from 1 to 5")
    return given


async def run(given: argparse.Namespace, folder: Path, screen: Screen) -> list[IncidentReport]:
    """Start the world, play, and stop everything, whatever happens."""
    names = SCENARIOS if given.scenario == "all" else (given.scenario,)
    wishes = Wishes(scenarios=tuple(names) * given.times, yes=given.yes, never_recover=given.never_recover)
    fleet = Fleet(folder / "logs")
    try:
        screen.say("Starting GitHub's stand-in, SRE-Space, and a shop of three services.")
        world = await start_world(fleet, folder)
        issues = f"{world.app['html_url']}/{world.repository}/issues"
        screen.urls({"dashboard": world.url("web"), "issues and pull requests": issues, "logs": str(folder / "logs")})
        play = Play(world, fleet, screen, wishes)
        try:
            return await play.run()
        finally:
            await play.close()
    finally:
        screen.say("Stopping everything.")
        await fleet.stop()


def succeeded(reports: Sequence[IncidentReport], *, never_recover: bool) -> bool:
    """Return whether every incident ended as its scenario should."""
    if never_recover:
        return all(report.outcome == "escalated" and report.revert_pull_request for report in reports)
    return bool(reports) and all(report.outcome == "resolved" for report in reports)


async def _cancellable(given: argparse.Namespace, folder: Path, screen: Screen) -> list[IncidentReport]:
    """Run; Ctrl-C and SIGTERM stop what was started, also where a shell has told its background jobs to ignore them."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await run(given, folder, screen)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0 if it ended as it should, 1 if not, 130 after Ctrl-C."""
    given = parse(arguments)
    screen = Screen(Console(stderr=given.json))
    with contextlib.ExitStack() as stack:
        if given.state:
            folder = given.state.resolve()
            folder.mkdir(parents=True, exist_ok=True)
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sre-space-demo-")))
        try:
            reports = asyncio.run(_cancellable(given, folder, screen))
        except SandboxError as error:
            screen.say(f"The demo stopped: {error}")
            return 1
        except (KeyboardInterrupt, asyncio.CancelledError):
            return 130
    screen.scorecard(reports)
    DemoReport(incidents=tuple(reports)).write(given.report)
    screen.say(f"The report is in {given.report}.")
    if given.json:
        sys.stdout.write(given.report.read_text())
    return 0 if succeeded(reports, never_recover=given.never_recover) else 1


if __name__ == "__main__":
    sys.exit(main())

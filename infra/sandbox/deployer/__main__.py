"""Command line of the deployer."""

import argparse
import asyncio
from pathlib import Path

from infra.sandbox.deployer.rollout import Deployer, DeployOptions
from infra.sandbox.parent import die_with_parent
from infra.sandbox.serving import stop_event, write_json_lines


async def run(options: DeployOptions) -> None:
    """Deploys until SIGTERM or SIGINT."""
    await Deployer(options).run(stop_event())


def main() -> None:
    """Reads the command line and deploys."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.sandbox.deployer",
        description="Runs the services of the managed repository at the revision of its branch.",
    )
    parser.add_argument("--clone-url", required=True, help="URL of the repository, with credentials if needed")
    parser.add_argument("--branch", default="main", help="branch to follow")
    parser.add_argument("--data", type=Path, required=True, help="folder for clone, logs, databases, state")
    parser.add_argument("--otlp", required=True, help="base URL of the OTLP/HTTP receiver")
    parser.add_argument("--tax-url", required=True, help="base URL of the tax service, as pricing calls it")
    parser.add_argument("--gateway-port", type=int, default=0, help="port of the gateway; 0 takes a free one")
    parser.add_argument("--poll-s", type=float, default=1.0, help="pause between two looks at the branch")
    parser.add_argument("--environment", default="sandbox", help="deployment.environment.name")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the starting process ends")
    arguments = vars(parser.parse_args())
    write_json_lines()
    if arguments.pop("die_with_parent"):
        die_with_parent()
    arguments["data"] = arguments["data"].resolve()
    asyncio.run(run(DeployOptions(**arguments)))


if __name__ == "__main__":
    main()

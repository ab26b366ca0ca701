"""`python -m action run` and `python -m action clean-up`, the steps of `action.yml`."""

import argparse
import sys
from typing import assert_never

from action.chaos.run import clean_up, run_chaos
from action.chaos.score import Decision
from action.files import command_value, set_outputs
from action.respond.run import run_respond
from action.settings import Context, Mode, load_context
from bot.process import configure_logs
from telemetry.errors import SreSpaceError

FAILED = 1


def main() -> int:
    """Run one step and return its exit code; what stops it is said in one line that GitHub shows on the run."""
    parser = argparse.ArgumentParser(prog="python -m action", description=__doc__)
    parser.add_argument("step", choices=["run", "clean-up"])
    step: str = parser.parse_args().step
    configure_logs(as_json=False)
    try:
        context = load_context()
    except SreSpaceError as error:
        return _say(error)
    try:
        return _run(context) if step == "run" else clean_up(context)
    except SreSpaceError as error:
        if step == "run":
            set_outputs(context.runner.output, {"decision": Decision.ABORT, "reason-code": "not-started"})
        return _say(error)


def _say(error: SreSpaceError) -> int:
    sys.stdout.write(f"::error title=SRE-Space::{command_value(str(error))}\n")
    return FAILED


def _run(context: Context) -> int:
    match context.inputs.mode:
        case Mode.CHAOS:
            return run_chaos(context)
        case Mode.RESPOND:
            return run_respond(context)
        case _:
            assert_never(context.inputs.mode)


if __name__ == "__main__":
    sys.exit(main())

"""How every step starts and ends: inputs, logs, and one line on the run when it cannot go on."""

import sys
from collections.abc import Callable

from action.files import command_value, set_outputs
from action.settings import Context, load_context
from bot.process import configure_logs
from telemetry.errors import SreSpaceError

FAILED = 1
NOT_STARTED = {"decision": "abort", "reason-code": "not-started"}


def carry_out(step: Callable[[Context], int]) -> int:
    """Carry out a step and return its exit code; what stops it is said in one line that GitHub shows on the run."""
    configure_logs(as_json=False)
    try:
        context = load_context()
    except SreSpaceError as error:
        return _say(error)
    try:
        return step(context)
    except SreSpaceError as error:
        set_outputs(context.runner.output, NOT_STARTED)
        return _say(error)


def _say(error: SreSpaceError) -> int:
    sys.stdout.write(f"::error title=SRE-Space::{command_value(str(error))}\n")
    return FAILED

"""`python -m action.chaos.child FILE`: runs one experiment with Chaos Toolkit, and writes its journal."""

import ctypes
import logging
import signal
import sys
from pathlib import Path

from chaoslib.exceptions import ChaosException
from chaoslib.experiment import ensure_experiment_is_valid, run_experiment
from chaoslib.loader import load_experiment
from chaoslib.types import Strategy

from action.chaos.journal import write_journal
from action.chaos.process import INVALID, ROLL_BACK_ALWAYS
from action.settings import Until, load_context

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Make the kernel tell this process to roll back when its parent is killed (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0)


def main(path: Path) -> int:
    """Run the experiment; return 2 when Chaos Toolkit does not take the file, else 0: the journal says the rest.

    Afterwards the steady state is looked at again only when SRE-Space was waited for until the recovery.
    """
    context = load_context()
    end_with_parent()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    strategy = Strategy.DEFAULT if context.inputs.until is Until.RECOVERY else Strategy.BEFORE_METHOD
    try:
        experiment = load_experiment(str(path))
        ensure_experiment_is_valid(experiment)
    except ChaosException as error:
        sys.stderr.write(f"{error}\n")
        return INVALID
    write_journal(context.journal, run_experiment(experiment, settings=ROLL_BACK_ALWAYS, strategy=strategy))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

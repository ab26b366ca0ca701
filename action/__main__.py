"""`python -m action run` and `python -m action clean-up`, the steps of `action.yml`."""

import argparse
import os
import sys

from action.settings import Context
from action.step import carry_out


def main() -> int:
    """Become the program of the mode, so that each loads only what it needs."""
    parser = argparse.ArgumentParser(prog="python -m action", description=__doc__)
    parser.add_argument("step", choices=["run", "clean-up"])
    step: str = parser.parse_args().step

    def become(context: Context) -> int:
        command = [sys.executable, "-P", "-m", f"action.{context.inputs.mode}", step]
        os.execv(sys.executable, command)  # noqa: S606 - our own modules

    return carry_out(become)


if __name__ == "__main__":
    sys.exit(main())

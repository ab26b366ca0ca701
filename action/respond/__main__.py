"""`python -m action.respond run`."""

import sys

from action.respond.run import run_respond
from action.step import carry_out

if __name__ == "__main__":
    sys.exit(carry_out(run_respond))

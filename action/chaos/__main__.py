"""`python -m action.chaos run` and `python -m action.chaos clean-up`."""

import sys

from action.chaos.run import clean_up, run_chaos
from action.step import carry_out

if __name__ == "__main__":
    sys.exit(carry_out(clean_up if sys.argv[1:] == ["clean-up"] else run_chaos))

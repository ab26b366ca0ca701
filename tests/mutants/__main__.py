"""Tries mutants of the code that decides and acts: `python -m tests.mutants --help`."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.mutants.making import Mutant, mutants_of
from tests.mutants.named import CASES
from tests.mutants.report import Report, equivalents, told
from tests.mutants.sampling import drawn
from tests.mutants.targets import TARGETS
from tests.mutants.trying import Outcome, Session

SAMPLE_S = 95
"""A sample starts no mutant later than this, so that `make check` gets on."""
NEVER_S = 24 * 3600
OPTIONS = (
    *("-qq", "-s", "--no-header", "--timeout=0"),
    *("-p", "no:cacheprovider", "-p", "no:xdist"),
    *("-k", "not postgres"),  # SQLite is quicker, and the statements are the same
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of Hypothesis, which the driver sets up
)


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    today = datetime.now(UTC).date().isoformat()
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, metavar="N", help="try N mutants, those that lived once first")
    parser.add_argument("--seed", default=today, help="draws the sample (default: today's date)")
    parser.add_argument("--only", nargs="+", metavar="PATH", help="these modules alone")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="processes at a time")
    parser.add_argument("--verbose", action="store_true", help="print each mutant as it is tried, and what killed it")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[Mutant]:
    """Return the mutants to try."""
    targets = [target for target in TARGETS if not options.only or target.path in options.only]
    paths = {target.path for target in targets}
    mutants = [case.mutant() for case in CASES if case.path in paths]
    mutants += [mutant for target in targets for mutant in mutants_of(target.path, target.files())]
    return drawn(mutants, options.sample, options.seed) if options.sample else mutants


def tried(mutants: Sequence[Mutant], options: argparse.Namespace, began: float) -> list[Outcome]:
    """Return how the mutants fared. Exits when the tests fail without any mutant."""
    outcomes: list[Outcome] = []

    def said(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if options.verbose:
            print(f"{'killed  ' if outcome.killed else 'SURVIVED'} {told(outcome)}", flush=True)

    until = began + (SAMPLE_S if options.sample else NEVER_S)
    session = Session(mutants, options.jobs, until, said)
    tests = sorted({test for mutant in mutants for test in mutant.killers})
    pytest.main([*tests, *OPTIONS], plugins=[session])
    if session.problem or not outcomes:
        sys.exit(f"No figures: {session.problem or 'the tests alone take too long.'}")
    return outcomes


def main() -> None:
    """Try mutants, print figures and survivors, and exit with 1 below the bar."""
    began = time.monotonic()
    options = arguments()
    mutants = chosen(options)
    if options.sample:
        print(f"{len(mutants)} mutants of seed {options.seed} (again: --sample {options.sample} --seed {options.seed})")
    outcomes = tried(mutants, options, began)
    report = Report(outcomes, equivalents())
    print("\n".join([told(outcome) for outcome in report.survivors]), report.table(), sep="\n\n")
    print(f"{len(outcomes)} of {len(mutants)} mutants in {time.monotonic() - began:.0f} s")
    problems = report.problems(full=not options.sample and not options.only)
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()

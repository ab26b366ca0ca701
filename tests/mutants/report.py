"""Judges the outcomes: who survived, who could not be noticed by anything, and whether the bar is held."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.making import Mutant
from tests.mutants.targets import target_of
from tests.mutants.trying import Outcome

BAR = 0.9
EQUIVALENT = Path(__file__).parent / "equivalent.toml"


def guards(mutant: Mutant) -> bool:
    """Return whether the mutant must not survive: it changes a condition that guards an act, or lived once."""
    return mutant.named or (mutant.condition and target_of(mutant.path).guarded(mutant.function))


@dataclass(frozen=True)
class Equivalent:
    """A mutant that behaves like the original, and why. `went` and `came` are its edit."""

    path: str
    function: str
    went: str
    came: str
    reason: str

    def is_of(self, mutant: Mutant) -> bool:
        """Return whether this is the mutant."""
        return (self.path, self.function, self.went, self.came) == (mutant.path, mutant.function, *mutant.edit)


def equivalents() -> tuple[Equivalent, ...]:
    """Return the mutants of `equivalent.toml`."""
    return tuple(Equivalent(**entry) for entry in tomllib.loads(EQUIVALENT.read_text()).get("mutant", []))


class Report:
    """Figures by module, and what is wrong."""

    def __init__(self, outcomes: Sequence[Outcome], known: Sequence[Equivalent]) -> None:
        lived = [outcome for outcome in outcomes if not outcome.killed]
        excused = {id(o): entry for o in lived for entry in known if entry.is_of(o.mutant)}
        used = {id(entry) for entry in excused.values()}
        self.judged = [outcome for outcome in outcomes if id(outcome) not in excused]
        self.survivors = [outcome for outcome in lived if id(outcome) not in excused]
        self.guards = [outcome for outcome in self.survivors if guards(outcome.mutant)]
        self.unused = [entry for entry in known if id(entry) not in used]

    @property
    def ratio(self) -> float:
        """The share of mutants that were killed."""
        return 1 - len(self.survivors) / len(self.judged) if self.judged else 1.0

    def table(self) -> str:
        """Return a line per module, and their sum."""
        paths = dict.fromkeys(outcome.mutant.path for outcome in self.judged)
        rows = [_row(path, [outcome for outcome in self.judged if outcome.mutant.path == path]) for path in paths]
        head = f"{'module':<36}{'mutants':>7}{'killed':>8}{'survived':>10}{'%':>8}"
        return "\n".join([head, *rows, _row("all", self.judged)])

    def problems(self, *, full: bool) -> list[str]:
        """Return why the gate is closed. A sample is too small for a share; it is judged by the guards alone."""
        found = [f"{len(self.guards)} mutants of guards survived"] if self.guards else []
        if full and self.ratio < BAR:
            found.append(f"{self.ratio:.1%} of the mutants were killed, not {BAR:.0%}")
        if full and self.unused:
            found += [
                f"no survivor, drop it from {EQUIVALENT.name}: {e.path} {e.function}: {e.came}" for e in self.unused
            ]
        return found


def told(outcome: Outcome) -> str:
    """Return a survivor as its place and its diff."""
    mutant = outcome.mutant
    went, came = mutant.edit
    kind = "once lived, " if mutant.named else "guard, " if guards(mutant) else ""
    head = f"{mutant.place} {mutant.function} ({kind}{outcome.by or 'all tests pass'})"
    lines = [*(f"  - {line}" for line in went.split("\n")), *(f"  + {line}" for line in came.split("\n") if came)]
    return "\n".join([head, *lines])


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    killed = sum(outcome.killed for outcome in outcomes)
    share = killed / len(outcomes) if outcomes else 1.0
    return f"{name:<36}{len(outcomes):>7}{killed:>8}{len(outcomes) - killed:>10}{share:>8.1%}"

"""Draws the mutants of a day."""

import random
from collections.abc import Sequence

from tests.mutants.making import Mutant
from tests.mutants.report import guards

MODULES = 4
"""So many modules a day: the tests of all of them would take most of the time."""
OTHERS_IN = 3
"""Every third drawn mutant is one that guards nothing."""


def drawn(mutants: Sequence[Mutant], count: int, seed: str) -> list[Mutant]:
    """Return at most `count` mutants, the same for the same seed: those that lived once, then some of a few modules.

    Two of three drawn mutants are of conditions that guard an act.
    """
    chance = random.Random(seed)
    first = [mutant for mutant in mutants if mutant.named]
    paths = sorted({mutant.path for mutant in mutants})
    today = chance.sample(paths, min(MODULES, len(paths)))
    others = [mutant for mutant in mutants if mutant.path in today and not mutant.named]
    chance.shuffle(others)
    strict = [mutant for mutant in others if guards(mutant)]
    loose = [mutant for mutant in others if not guards(mutant)]
    chosen: list[Mutant] = []
    while (strict or loose) and len(first) + len(chosen) < count:
        other = len(chosen) % OTHERS_IN == OTHERS_IN - 1
        chosen.append((loose if (other and loose) or not strict else strict).pop())
    return [*first, *chosen]

"""Draws the mutants of a day."""

import random
from collections.abc import Sequence

from tests.mutants.making import Mutant
from tests.mutants.report import guards

OTHERS_IN = 3
"""Every third drawn mutant is one that guards nothing."""


def drawn(mutants: Sequence[Mutant], count: int, seed: str) -> list[Mutant]:
    """Return at most `count` mutants, the same for the same seed: those that lived once, then drawn ones.

    Two of three drawn mutants are of conditions that guard an act.
    """
    chance = random.Random(seed)
    first = [mutant for mutant in mutants if mutant.named]
    strict = [mutant for mutant in mutants if guards(mutant) and not mutant.named]
    loose = [mutant for mutant in mutants if not guards(mutant)]
    chance.shuffle(strict)
    chance.shuffle(loose)
    chosen: list[Mutant] = []
    while (strict or loose) and len(first) + len(chosen) < count:
        other = len(chosen) % OTHERS_IN == OTHERS_IN - 1
        chosen.append((loose if (other and loose) or not strict else strict).pop())
    return [*first, *chosen]

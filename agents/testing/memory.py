"""A fake of Memory: a dict of cases, with the cosine distance between bags of words."""

import math
from collections import Counter
from datetime import datetime

from agents.ports import Case

LAST_CASES = 100


class FakeMemory:
    """Implements `agents.ports.Memory`; it passes the same contract tests as the ChromaDB adapter."""

    def __init__(self, *cases: Case, threshold: float = 0.3) -> None:
        self.threshold = threshold
        self.cases: dict[tuple[int, str], Case] = {(case.installation_id, case.id): case for case in cases}

    async def exact(self, installation_id: int, tenant: str, signature: str) -> Case | None:
        """Return the newest case with this signature that is not frozen."""
        return next((case for case in self._newest(installation_id, tenant) if case.signature == signature), None)

    async def nearest(
        self, installation_id: int, tenant: str, *, service: str, kind: str, text: str
    ) -> tuple[Case, float] | None:
        """Return the nearest of the last 100 unfrozen cases within the threshold, and its distance."""
        wanted = (service, kind)
        cases = [case for case in self._newest(installation_id, tenant) if (case.service, case.kind) == wanted]
        found = [(_distance(case.text, text), case) for case in cases[:LAST_CASES]]
        if not found:
            return None
        distance, case = min(found, key=lambda pair: pair[0])
        return (case, distance) if distance < self.threshold else None

    async def remember(self, case: Case) -> None:
        """Store a case; the same id again replaces it, but does not thaw it."""
        key = (case.installation_id, case.id)
        frozen = case.frozen or (key in self.cases and self.cases[key].frozen)
        self.cases[key] = case.model_copy(update={"frozen": frozen})

    async def freeze(self, installation_id: int, case_id: str) -> None:
        """Never offer this case again; an unknown id is no error."""
        key = (installation_id, case_id)
        if key in self.cases:
            self.cases[key] = self.cases[key].model_copy(update={"frozen": True})

    async def history(self, installation_id: int, tenant: str, signature: str, since: datetime) -> tuple[Case, ...]:
        """Return every case with this signature verified since then, oldest first, frozen ones too."""
        found = [
            case
            for (owner, _), case in self.cases.items()
            if (owner, case.tenant, case.signature) == (installation_id, tenant, signature)
            and case.verified_at >= since
        ]
        return tuple(sorted(found, key=lambda case: (case.verified_at, case.id)))

    def _newest(self, installation_id: int, tenant: str) -> list[Case]:
        found = [
            case
            for (owner, _), case in self.cases.items()
            if (owner, case.tenant) == (installation_id, tenant) and not case.frozen
        ]
        return sorted(found, key=lambda case: (case.verified_at, case.id), reverse=True)


def _distance(one: str, other: str) -> float:
    a, b = Counter(one.lower().split()), Counter(other.lower().split())
    product = sum(n * b[word] for word, n in a.items())
    length = math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))
    return 1 - product / length if length else 1.0
